import type { Digest } from '#spec'
import { type Core, sweep } from '#store/content'
import { deletePins, findLayer, type Pin } from '#store/rows'
import { pinLayer } from './pin-layer.ts'

export interface CacheRecord<D = unknown> {
  /** What the build found the step by. */
  key: string
  /** Diff IDs that must stay while the record exists. */
  layers: Digest[]
  /** Bytes on disk that are there because of this record alone, as its owner counts them. */
  size: number
  created: number
  lastUsed: number
  document: D
}

export interface BuildCache {
  /** Adds or replaces. */
  put<D>(record: CacheRecord<D>): Promise<void>
  /** Marks the record as used now. A record whose layers are gone or damaged is not found. */
  get<D = unknown>(key: string): Promise<CacheRecord<D> | undefined>
  /** Most recently used first. */
  list<D = unknown>(): Promise<CacheRecord<D>[]>
  /** Removes the records for which `filter` is true (all by default) and the layers that nobody needs any more. */
  prune(filter?: (record: CacheRecord) => boolean): Promise<{ keys: string[]; freed: number }>
}

export function createBuildCache(core: Core): BuildCache {
  const { database, clock } = core
  type Row = { key: string; size: number; created: number; last_used: number; document: string; layers: string }
  const read = <D>({ last_used: lastUsed, ...row }: Row): CacheRecord<D> => ({
    ...row,
    lastUsed,
    layers: JSON.parse(row.layers) as Digest[],
    document: JSON.parse(row.document) as D,
  })
  return {
    async put({ key, layers, size, created, lastUsed, document }) {
      const old = database.transaction(() => {
        const values = [key, size, created, lastUsed, JSON.stringify(document), JSON.stringify(layers)]
        database.run('INSERT OR REPLACE INTO cache VALUES (?, ?, ?, ?, ?, ?)', ...values)
        const before = deletePins(database, `cache:${key}`)
        for (const digest of layers) pinLayer(core, `cache:${key}`, digest, clock.now())
        return sweep(core, before)
      })
      await old.finish()
    },
    async get<D>(key: string) {
      const row = database.get<Row>('SELECT * FROM cache WHERE key = ?', key)
      if (!row) return undefined
      const record = read<D>(row)
      if (!record.layers.every((layer) => findLayer(core, layer))) return undefined
      const lastUsed = clock.now()
      database.run('UPDATE cache SET last_used = ? WHERE key = ?', lastUsed, key)
      return { ...record, lastUsed }
    },
    list: async <D>() =>
      database.all<Row>('SELECT * FROM cache ORDER BY last_used DESC, key').map((row) => read<D>(row)),
    async prune(filter = () => true) {
      const keys: string[] = []
      const { swept, finish } = database.transaction(() => {
        const pins: Pin[] = []
        for (const row of database.all<Row>('SELECT * FROM cache ORDER BY key')) {
          if (!filter(read(row))) continue
          database.run('DELETE FROM cache WHERE key = ?', row.key)
          pins.push(...deletePins(database, `cache:${row.key}`))
          keys.push(row.key)
        }
        return sweep(core, pins)
      })
      await finish()
      return { keys, freed: swept.freed }
    },
  }
}
