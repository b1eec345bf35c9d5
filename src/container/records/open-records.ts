import type { Store } from '#store'
import type { Container, Network, Volume } from '../model/index.ts'
import { parseContainer } from './parse-container.ts'
import { parseNetwork, parseVolume } from './parse-network-volume.ts'

/** Records of one kind, in the form of today whichever bale wrote them. All writes are durable when they are fulfilled. */
interface RecordsOf<R> {
  /** Throws CONFLICT when the name or ID is taken. */
  add(record: R): Promise<void>
  /** By name or, where there is one, ID or unique prefix of it; undefined when there is none. */
  find(idOrName: string): Promise<R | undefined>
  list(): Promise<R[]>
  remove(id: string): Promise<boolean>
}

interface ChangingRecords<R> extends RecordsOf<R> {
  /** Reads, changes and writes in one transaction, so `change` must be quick; undefined when it is gone. */
  update(id: string, change: (record: R) => R): Promise<R | undefined>
}

interface ContainerRecords extends ChangingRecords<Container> {
  /** `last`: what it became in the end, when that was not written before. */
  remove(id: string, last?: Container): Promise<boolean>
}

/** What the store keeps for this room. Reading throws STORE_DAMAGED, and STORE_VERSION for what a newer bale wrote. */
export interface Records {
  readonly containers: ContainerRecords
  readonly networks: ChangingRecords<Network>
  readonly volumes: RecordsOf<Volume>
}

export function openRecords({
  containers,
  networks,
  volumes,
}: Pick<Store, 'containers' | 'networks' | 'volumes'>): Records {
  return {
    containers: {
      add: (record) => containers.add(record),
      find: async (idOrName) => parsed(await containers.find(idOrName), parseContainer),
      list: async () => (await containers.list()).map(parseContainer),
      update: async (id, change) =>
        parsed(await containers.update(id, (record) => change(parseContainer(record))), parseContainer),
      remove: (id, last) => containers.remove(id, last),
    },
    networks: {
      add: (record) => networks.add(record),
      find: async (idOrName) => parsed(await networks.find(idOrName), parseNetwork),
      list: async () => (await networks.list()).map(parseNetwork),
      update: async (id, change) =>
        parsed(await networks.update(id, (record) => change(parseNetwork(record))), parseNetwork),
      remove: (id) => networks.remove(id),
    },
    volumes: {
      add: (record) => volumes.add(record),
      find: async (name) => parsed(await volumes.find(name), parseVolume),
      list: async () => (await volumes.list()).map(parseVolume),
      remove: (name) => volumes.remove(name),
    },
  }
}

function parsed<A, R>(record: A | undefined, parse: (record: A) => R): R | undefined {
  return record && parse(record)
}
