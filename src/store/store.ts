import type { Clock, Log, Recovery } from '#base'
import type { CheckOptions, Collected, DiskUsage, Finding } from '#store/collection'
import type { Layers } from '#store/content'
import type { Events } from '#store/events'
import type { Images } from '#store/images'
import type { LayerFormats } from '#store/layer-jobs'
import type { Addresses, BuildCache, Containers, Networks, Ports, RecordKinds, Volumes } from '#store/records'
import type { OperationPurpose, StoreOperation } from './operation.ts'
import type { StoreSource } from './store-place.ts'

export interface StoreOptions {
  /** Survives reboots: /var/lib/bale. */
  root: string
  /** Gone after a reboot: /run/bale. */
  run: string
  /** How new layers are kept, and every format that the store may hold. */
  layerFormats: LayerFormats
  /** What the rooms above know about the records that they keep here. */
  kinds?: RecordKinds
  clock?: Clock
  log?: Log
  /** The process ends soon after the store is closed: its file is closed by that end. */
  untilExit?: boolean
  /** Worker threads for layers; as many as there are cores, at most 2, by default. */
  workers?: number
}

/**
 * What this machine knows. Any number of processes may have one store open at once, for as long as they like: images and layers
 * come in by operations, which hold what they need only while they go on.
 */
export interface Store extends StoreSource, AsyncDisposable {
  readonly root: string
  readonly run: string
  readonly images: Images
  readonly layers: Layers
  readonly containers: Containers
  readonly volumes: Volumes
  readonly networks: Networks
  readonly addresses: Addresses
  readonly ports: Ports
  readonly buildCache: BuildCache
  readonly events: Events
  /** To be disposed when the operation ends; closing the store ends those that are left. */
  operation(purpose: OperationPurpose): StoreOperation
  diskUsage(): Promise<DiskUsage>
  /** Garbage collection: unreferenced content, leftovers of crashed processes, leases of dead ones. */
  collect(): Promise<Collected>
  /** `collect`, as the recovery of this room. */
  readonly recovery: Recovery
  check(options?: CheckOptions): Promise<Finding[]>
}
