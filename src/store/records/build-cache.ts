import { type Digest, parseJson } from '#spec'
import { type Core, sweep } from '#store/content'
import { deletePins, findLayer, type Pin } from '#store/rows'
import { pinLayer } from './pin-layer.ts'

export interface CacheRecord {
  /** What the build found the step by. */
  key: string
  /** Diff IDs that must stay while the record exists. */
  layers: Digest[]
  /** Bytes on disk used by this record alone, as counted by its owner. */
  size: number
  created: number
  lastUsed: number
  /** Undefined when it is no JSON any more. */
  document: unknown
}

export interface BuildCache {
  /** Adds or replaces. */
  put(record: CacheRecord): Promise<void>
  /** Marks the record as used now. A record whose layers are gone or damaged is not found. */
  get(key: string): Promise<CacheRecord | undefined>
  /** Most recently used first. */
  list(): Promise<CacheRecord[]>
  /** Removes the records for which `filter` is true (all by default) and the layers no longer needed. */
  prune(filter?: (record: CacheRecord) => boolean): Promise<{ keys: string[]; freed: number }>
}

export function createBuildCache(core: Core): BuildCache {
  const { database, clock } = core
  type Row = { key: string; size: number; created: number; last_used: number; document: string; layers: string }
  const read = ({ last_used: lastUsed, ...row }: Row): CacheRecord => ({
    ...row,
    lastUsed,
    // A cache must not stand in the way when one of its rows is damaged.
    layers: (parseJson(row.layers) ?? []) as Digest[],
    document: parseJson(row.document),
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
    async get(key) {
      const row = database.get<Row>('SELECT * FROM cache WHERE key = ?', key)
      if (!row) return undefined
      const record = read(row)
      if (!record.layers.every((layer) => findLayer(core, layer))) return undefined
      const lastUsed = clock.now()
      database.run('UPDATE cache SET last_used = ? WHERE key = ?', lastUsed, key)
      return { ...record, lastUsed }
    },
    list: async () => database.all<Row>('SELECT * FROM cache ORDER BY last_used DESC, key').map(read),
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
