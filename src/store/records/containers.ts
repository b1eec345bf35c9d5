import { BaleError } from '#base'
import type { Digest } from '#spec'
import { type Core, sweep } from '#store/content'
import { deletePins } from '#store/rows'
import { findByIdOrName } from './find-record.ts'
import { pinLayer } from './pin-layer.ts'
import { announce, type RecordKind } from './record-kind.ts'

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

/** All writes are durable when their promise is fulfilled. */
export type Containers = {
  /** Throws CONFLICT with docker's message when the ID or name is taken; STORE_DAMAGED when a layer is missing. */
  add(record: ContainerRecord): Promise<void>
  /** By full ID, name, or unique ID prefix (AMBIGUOUS_ID); undefined when there is none. */
  find(idOrName: string): Promise<ContainerRecord | undefined>
  /** Newest first. */
  list(): Promise<ContainerRecord[]>
  /** Reads, changes and writes in one transaction, so `change` must be quick; undefined when it is gone. */
  update(id: string, change: (record: ContainerRecord) => ContainerRecord): Promise<ContainerRecord | undefined>
  /**
   * Also releases the container's addresses, ports and layers. `last`: what it became in the end, when that was not
   * written before; its events are written now.
   */
  remove(id: string, last?: ContainerRecord): Promise<boolean>
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

/** docker's refusal of a name that another container has. */
export function nameInUse(name: string, holder: string): BaleError {
  return new BaleError(
    'CONFLICT',
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
    { next: { act: 'remove-container', names: [name] } },
  )
}

export function createContainers(core: Core, kind?: RecordKind<ContainerRecord>): Containers {
  const { database, clock } = core
  const layersOf = (id: string) =>
    database
      .all<{ digest: Digest }>(`SELECT digest FROM pins WHERE owner = ? AND kind = 'layer'`, `container:${id}`)
      .map((row) => row.digest)
  const read = (row: ContainerRow): ContainerRecord => ({
    id: row.id,
    name: row.name,
    ...(row.image ? { imageId: row.image } : {}),
    state: row.state,
    created: row.created,
    layers: JSON.parse(row.layers) as Digest[],
    document: JSON.parse(row.document) as unknown,
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
    throw nameInUse(record.name, other.id)
  }
  return {
    async add(record) {
      database.transaction(() => {
        refuseTaken(record)
        if (database.get('SELECT 1 FROM containers WHERE id = ?', record.id)) {
          throw new BaleError('CONFLICT', `a container with the ID ${record.id} already exists`)
        }
        write(record)
        announce(core, kind, undefined, record)
      })
    },
    async find(idOrName) {
      const row = findByIdOrName<ContainerRow>(core, 'containers', idOrName)
      return row && read(row)
    },
    list: async () => database.all<ContainerRow>('SELECT * FROM containers ORDER BY created DESC, id').map(read),
    async update(id: string, change: (record: ContainerRecord) => ContainerRecord) {
      return database.transaction(() => {
        const row = database.get<ContainerRow>('SELECT * FROM containers WHERE id = ?', id)
        if (!row) return undefined
        const before = read(row)
        const changed = { ...change(before), id }
        refuseTaken(changed)
        write(changed)
        announce(core, kind, before, changed)
        return changed
      })
    },
    async remove(id, last) {
      const done = database.transaction(() => {
        const row = database.get<ContainerRow>('DELETE FROM containers WHERE id = ? RETURNING *', id)
        if (!row) return undefined
        if (last) announce(core, kind, read(row), last)
        announce(core, kind, last ?? read(row), undefined)
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
