import { BaleError } from '#base'
import { type Core, sweep } from '#store/content'
import { deletePins, isHeld } from '#store/rows'
import { type ContainerRecord, ContainerRows, ownerOf } from './container-rows.ts'
import { announce, type RecordKind } from './record-kind.ts'

/** All writes are durable when their promise is fulfilled, except those of passing records. */
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

/** docker's refusal of a name that another container has. */
export function nameInUse(name: string, holder: string): BaleError {
  return new BaleError(
    'CONFLICT',
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
    { next: { act: 'remove-container', names: [name] } },
  )
}

export function createContainers(core: Core, kind?: RecordKind<ContainerRecord>): Containers {
  return new ContainerRecords(core, kind)
}

class ContainerRecords implements Containers {
  readonly #core: Core
  readonly #rows: ContainerRows
  readonly #kind: RecordKind<ContainerRecord> | undefined

  constructor(core: Core, kind: RecordKind<ContainerRecord> | undefined) {
    this.#core = core
    this.#rows = new ContainerRows(core)
    this.#kind = kind
  }

  async add(record: ContainerRecord): Promise<void> {
    this.#transaction(record, () => {
      this.#refuseTakenName(record)
      if (this.#rows.get(record.id))
        throw new BaleError('CONFLICT', `a container with the ID ${record.id} already exists`)
      this.#rows.write(record)
      announce(this.#core, this.#kind, undefined, record)
    })
  }

  async find(idOrName: string): Promise<ContainerRecord | undefined> {
    return this.#rows.find(idOrName)
  }

  async list(): Promise<ContainerRecord[]> {
    return this.#rows.list()
  }

  async update(id: string, change: (record: ContainerRecord) => ContainerRecord): Promise<ContainerRecord | undefined> {
    return this.#transaction(this.#rows.get(id), () => {
      const before = this.#rows.get(id)
      if (!before) return undefined
      const changed = { ...change(before), id }
      this.#refuseTakenName(changed)
      this.#rows.write(changed)
      announce(this.#core, this.#kind, before, changed)
      return changed
    })
  }

  async remove(id: string, last?: ContainerRecord): Promise<boolean> {
    const { database } = this.#core
    const pins = this.#transaction(this.#rows.get(id), () => {
      const removed = this.#rows.remove(id)
      if (!removed) return undefined
      if (last) announce(this.#core, this.#kind, removed, last)
      announce(this.#core, this.#kind, last ?? removed, undefined)
      database.run('DELETE FROM addresses WHERE owner = ?', id)
      database.run('DELETE FROM ports WHERE owner = ?', id)
      return deletePins(database, ownerOf(id))
    })
    const free = pins?.filter((pin) => !isHeld(this.#core, pin)) ?? []
    // Durable in any case: no file may be gone of which there is still a row.
    if (free.length > 0) await sweep(this.#core, free).finish()
    return pins !== undefined
  }

  #transaction<T>(record: ContainerRecord | undefined, work: () => T): T {
    const { database } = this.#core
    return record && this.#kind?.passing?.(record) ? database.unsynced(work) : database.transaction(work)
  }

  #refuseTakenName({ id, name }: ContainerRecord): void {
    const holder = this.#rows.idOfName(name)
    if (holder !== undefined && holder !== id) throw nameInUse(name, holder)
  }
}
