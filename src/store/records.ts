import type { Digest } from '#spec'

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
export interface Records<R> {
  /** Throws CONFLICT when the ID or name is taken. */
  add(record: R): Promise<void>
  /** By full ID, name, or unique ID prefix. AMBIGUOUS_ID; undefined when there is none. */
  find(idOrName: string): Promise<R | undefined>
  list(): Promise<R[]>
  /** Reads, changes and writes in one transaction; undefined when it is gone. `change` may run for a newer version only. */
  update(id: string, change: (record: R) => R): Promise<R | undefined>
  /** False when there was none. */
  remove(id: string): Promise<boolean>
}

export type Containers = {
  add<D>(record: ContainerRecord<D>): Promise<void>
  find<D = unknown>(idOrName: string): Promise<ContainerRecord<D> | undefined>
  /** Newest first. */
  list<D = unknown>(): Promise<ContainerRecord<D>[]>
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
  folder(name: string): string
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
