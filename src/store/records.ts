import { join } from 'node:path'
import { BaleError, printable } from '#base'
import type { Digest } from '#spec'
import type { Core } from './core.ts'
import { sweep } from './garbage.ts'
import { findLayer } from './layers.ts'
import { deletePins, insertPin, type Pin } from './leases.ts'

/**
 * Things that the rooms above keep here: an identity, the columns that others look things up by, and a JSON document that
 * only its owner reads. `document` is typed by the caller's type argument and not checked.
 */
export interface ContainerRecord<D = unknown> {
  /** 64 hexadecimal digits. */
  id: string
  name: string
  /** Image ID, if it was made from an image. */
  imageId?: Digest
  /** docker's word: created, running, paused, restarting, removing, exited, dead. */
  state: string
  /** Milliseconds since 1970. */
  created: number
  /** Diff IDs that must stay while the container exists. */
  layers: Digest[]
  document: D
}

export interface VolumeRecord<D = unknown> {
  name: string
  created: number
  document: D
}

export interface NetworkRecord<D = unknown> {
  id: string
  name: string
  created: number
  document: D
}

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

/** All writes are durable when their promise is fulfilled. */
export type Containers = {
  /** Throws CONFLICT when the ID or name is taken, in docker's words; STORE_DAMAGED when a layer is not there. */
  add<D>(record: ContainerRecord<D>): Promise<void>
  /** By full ID, name, or unique ID prefix (AMBIGUOUS_ID); undefined when there is none. */
  find<D = unknown>(idOrName: string): Promise<ContainerRecord<D> | undefined>
  /** Newest first. */
  list<D = unknown>(): Promise<ContainerRecord<D>[]>
  /** Reads, changes and writes in one transaction, so `change` must be quick; undefined when it is gone. */
  update<D = unknown>(
    id: string,
    change: (record: ContainerRecord<D>) => ContainerRecord<D>,
  ): Promise<ContainerRecord<D> | undefined>
  /** Also gives back the container's addresses, ports and layers. */
  remove(id: string): Promise<boolean>
}

export type Volumes = {
  add<D>(record: VolumeRecord<D>): Promise<void>
  find<D = unknown>(name: string): Promise<VolumeRecord<D> | undefined>
  list<D = unknown>(): Promise<VolumeRecord<D>[]>
  update<D = unknown>(
    name: string,
    change: (record: VolumeRecord<D>) => VolumeRecord<D>,
  ): Promise<VolumeRecord<D> | undefined>
  remove(name: string): Promise<boolean>
  /** `<root>/volumes/<name>/_data`. Throws INVALID_ARGUMENT for a name that is not a plain one. */
  directory(name: string): string
}

export type Networks = {
  add<D>(record: NetworkRecord<D>): Promise<void>
  find<D = unknown>(idOrName: string): Promise<NetworkRecord<D> | undefined>
  list<D = unknown>(): Promise<NetworkRecord<D>[]>
  update<D = unknown>(
    id: string,
    change: (record: NetworkRecord<D>) => NetworkRecord<D>,
  ): Promise<NetworkRecord<D> | undefined>
  remove(id: string): Promise<boolean>
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

interface ContainerRow {
  id: string
  name: string
  image: Digest | null
  state: string
  created: number
  document: string
  /** JSON list of diff IDs, lowest first. */
  layers: string
}

export function createContainers(core: Core): Containers {
  const { database, clock, session } = core
  const layersOf = (id: string) =>
    database
      .all<{ digest: Digest }>(`SELECT digest FROM pins WHERE owner = ? AND kind = 'layer'`, `container:${id}`)
      .map((row) => row.digest)
  const read = <D>(row: ContainerRow): ContainerRecord<D> => ({
    id: row.id,
    name: row.name,
    ...(row.image ? { imageId: row.image } : {}),
    state: row.state,
    created: row.created,
    layers: JSON.parse(row.layers) as Digest[],
    document: JSON.parse(row.document) as D,
  })
  const write = (record: ContainerRecord) => {
    const { id, name, imageId, state, created, document, layers } = record
    const values = [id, name, imageId ?? null, state, created, JSON.stringify(document), JSON.stringify(layers)]
    database.run('INSERT OR REPLACE INTO containers VALUES (?, ?, ?, ?, ?, ?, ?)', ...values)
    pinLayers(core, `container:${id}`, record.layers)
  }
  const refuseTaken = (record: ContainerRecord) => {
    const other = database.get<{ id: string }>('SELECT id FROM containers WHERE name = ?', record.name)
    if (!other || other.id === record.id) return
    throw new BaleError(
      'CONFLICT',
      `Conflict. The container name "/${record.name}" is already in use by container "${other.id}". You have to remove (or rename) that container to be able to reuse that name.`,
      { hint: `bale rm ${record.name}` },
    )
  }
  return {
    async add(record) {
      database.transaction(() => {
        refuseTaken(record)
        if (database.get('SELECT 1 FROM containers WHERE id = ?', record.id)) {
          throw new BaleError('CONFLICT', `a container with the ID ${record.id} is there already`)
        }
        write(record)
        session.release(record.layers.map((digest): Pin => ({ kind: 'layer', digest })))
      })
    },
    async find(idOrName) {
      const row = findByIdOrName<ContainerRow>(core, 'containers', idOrName)
      return row && read(row)
    },
    list: async <D>() =>
      database.all<ContainerRow>('SELECT * FROM containers ORDER BY created DESC, id').map((row) => read<D>(row)),
    async update<D>(id: string, change: (record: ContainerRecord<D>) => ContainerRecord<D>) {
      return database.transaction(() => {
        const row = database.get<ContainerRow>('SELECT * FROM containers WHERE id = ?', id)
        if (!row) return undefined
        const changed = change(read<D>(row))
        refuseTaken(changed)
        write({ ...changed, id })
        return changed
      })
    },
    async remove(id) {
      const done = database.transaction(() => {
        if (database.run('DELETE FROM containers WHERE id = ?', id) === 0) return undefined
        database.run('DELETE FROM addresses WHERE owner = ?', id)
        database.run('DELETE FROM ports WHERE owner = ?', id)
        return sweep(core, deletePins(database, `container:${id}`))
      })
      await done?.finish()
      return done !== undefined
    },
  }

  function pinLayers({ database }: Core, owner: string, layers: readonly Digest[]): void {
    const wanted = new Set(layers)
    const held = new Set(layersOf(owner.slice('container:'.length)))
    for (const digest of wanted) if (!held.has(digest)) pinLayer(core, owner, digest, clock.now())
    for (const digest of held) {
      if (!wanted.has(digest)) database.run('DELETE FROM pins WHERE owner = ? AND digest = ?', owner, digest)
    }
  }
}

function pinLayer(core: Core, owner: string, digest: Digest, now: number): void {
  if (!findLayer(core, digest)) {
    throw new BaleError('STORE_DAMAGED', `the layer ${digest} is missing from the store`, {
      hint: 'pull or build the image again',
    })
  }
  insertPin(core.database, owner, { kind: 'layer', digest }, now)
}

/** Full ID, then name, then unique prefix, as docker does. */
function findByIdOrName<R extends { id: string }>(
  { database }: Core,
  table: 'containers' | 'networks',
  text: string,
): R | undefined {
  const exact =
    database.get<R>(`SELECT * FROM ${table} WHERE id = ?`, text) ??
    database.get<R>(`SELECT * FROM ${table} WHERE name = ?`, text.replace(/^\//, ''))
  if (exact || !/^[0-9a-f]+$/.test(text)) return exact
  const rows = database.all<R>(`SELECT * FROM ${table} WHERE id >= ?1 AND id < ?1 || 'g'`, text)
  if (rows.length > 1) {
    throw new BaleError('AMBIGUOUS_ID', `the ID ${printable(text)} fits ${rows.length} ${table}`, {
      hint: 'give more digits',
      details: { ids: rows.map((row) => row.id) },
    })
  }
  return rows[0]
}

/** docker's names of volumes. Nothing else becomes a path. */
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/

export function createVolumes({ database, layout }: Core): Volumes {
  type Row = { name: string; created: number; document: string }
  const read = <D>(row: Row): VolumeRecord<D> => ({ ...row, document: JSON.parse(row.document) as D })
  const get = (name: string) => database.get<Row>('SELECT * FROM volumes WHERE name = ?', name)
  const write = (sql: string, { name, created, document }: VolumeRecord) =>
    database.run(sql, name, created, JSON.stringify(document))
  return {
    async add(record) {
      this.directory(record.name)
      if (write('INSERT OR IGNORE INTO volumes VALUES (?, ?, ?)', record) === 0) {
        throw new BaleError('CONFLICT', `a volume named ${record.name} already exists`)
      }
    },
    async find<D>(name: string) {
      const row = get(name)
      return row && read<D>(row)
    },
    list: async <D>() => database.all<Row>('SELECT * FROM volumes ORDER BY name').map((row) => read<D>(row)),
    update: async <D>(name: string, change: (record: VolumeRecord<D>) => VolumeRecord<D>) =>
      database.transaction(() => {
        const row = get(name)
        if (!row) return undefined
        const changed = { ...change(read<D>(row)), name }
        write('INSERT OR REPLACE INTO volumes VALUES (?, ?, ?)', changed)
        return changed
      }),
    remove: async (name) => database.run('DELETE FROM volumes WHERE name = ?', name) > 0,
    directory(name) {
      if (!VOLUME_NAME.test(name)) {
        throw new BaleError('INVALID_ARGUMENT', `"${printable(name)}" is not a volume name`, {
          hint: 'a volume name has letters, digits, dots, dashes and underscores, and begins with a letter or digit',
        })
      }
      return join(layout.volumes, name, '_data')
    },
  }
}

export function createNetworks(core: Core): Networks {
  const { database } = core
  type Row = { id: string; name: string; created: number; document: string }
  const read = <D>(row: Row): NetworkRecord<D> => ({ ...row, document: JSON.parse(row.document) as D })
  const write = (sql: string, { id, name, created, document }: NetworkRecord) =>
    database.run(sql, id, name, created, JSON.stringify(document))
  return {
    async add(record) {
      if (write('INSERT OR IGNORE INTO networks VALUES (?, ?, ?, ?)', record) === 0) {
        throw new BaleError('CONFLICT', `network with name ${record.name} already exists`)
      }
    },
    async find<D>(idOrName: string) {
      const row = findByIdOrName<Row>(core, 'networks', idOrName)
      return row && read<D>(row)
    },
    list: async <D>() => database.all<Row>('SELECT * FROM networks ORDER BY name').map((row) => read<D>(row)),
    update: async <D>(id: string, change: (record: NetworkRecord<D>) => NetworkRecord<D>) =>
      database.transaction(() => {
        const row = database.get<Row>('SELECT * FROM networks WHERE id = ?', id)
        if (!row) return undefined
        const changed = { ...change(read<D>(row)), id }
        write('UPDATE networks SET id = ?1, name = ?2, created = ?3, document = ?4 WHERE id = ?1', changed)
        return changed
      }),
    remove: async (id) =>
      database.transaction(() => {
        database.run('DELETE FROM addresses WHERE network = ?', id)
        return database.run('DELETE FROM networks WHERE id = ?', id) > 0
      }),
  }
}

export function createBuildCache(core: Core): BuildCache {
  const { database, clock, session } = core
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
        session.release(layers.map((digest): Pin => ({ kind: 'layer', digest })))
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
