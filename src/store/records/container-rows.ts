import type { Digest } from '#spec'
import type { Core } from '#store/content'
import { findByIdOrName } from './find-record.ts'
import { pinLayer } from './pin-layer.ts'

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

/** Who holds a container's layers, in the table of pins. */
export const ownerOf = (id: string) => `container:${id}`

/** The table of containers, and the pins that hold their layers; each method is one step of the caller's transaction. */
export class ContainerRows {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  get(id: string): ContainerRecord | undefined {
    return read(this.#core.database.get<ContainerRow>('SELECT * FROM containers WHERE id = ?', id))
  }

  find(idOrName: string): ContainerRecord | undefined {
    return read(findByIdOrName<ContainerRow>(this.#core, 'containers', idOrName))
  }

  idOfName(name: string): string | undefined {
    return this.#core.database.get<{ id: string }>('SELECT id FROM containers WHERE name = ?', name)?.id
  }

  /** Newest first. */
  list(): ContainerRecord[] {
    return this.#core.database.all<ContainerRow>('SELECT * FROM containers ORDER BY created DESC, id').map(recordOf)
  }

  write(record: ContainerRecord): void {
    const { id, name, imageId, state, created, document, layers } = record
    const values = [id, name, imageId ?? null, state, created, JSON.stringify(document), JSON.stringify(layers)]
    this.#core.database.run('INSERT OR REPLACE INTO containers VALUES (?, ?, ?, ?, ?, ?, ?)', ...values)
    this.#pinLayers(ownerOf(id), layers)
  }

  /** What it was; its pins stay. */
  remove(id: string): ContainerRecord | undefined {
    return read(this.#core.database.get<ContainerRow>('DELETE FROM containers WHERE id = ? RETURNING *', id))
  }

  #pinLayers(owner: string, layers: readonly Digest[]): void {
    const { database, clock } = this.#core
    const pins = database.all<{ digest: Digest }>(`SELECT digest FROM pins WHERE owner = ? AND kind = 'layer'`, owner)
    const wanted = new Set(layers)
    const held = new Set(pins.map(({ digest }) => digest))
    for (const digest of wanted) if (!held.has(digest)) pinLayer(this.#core, owner, digest, clock.now())
    for (const digest of held) {
      if (!wanted.has(digest)) database.run('DELETE FROM pins WHERE owner = ? AND digest = ?', owner, digest)
    }
  }
}

function read(row: ContainerRow | undefined): ContainerRecord | undefined {
  return row && recordOf(row)
}

function recordOf(row: ContainerRow): ContainerRecord {
  return {
    id: row.id,
    name: row.name,
    ...(row.image ? { imageId: row.image } : {}),
    state: row.state,
    created: row.created,
    layers: JSON.parse(row.layers) as Digest[],
    document: JSON.parse(row.document) as unknown,
  }
}
