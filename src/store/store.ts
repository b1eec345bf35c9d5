import type { Clock, Log } from '#base'
import type { ImageSource, ImageTarget, LocalFiles } from '#image'
import type { CheckOptions, Collected, DiskUsage, Finding } from '#store/collection'
import type { LayerFormatReference, Layers } from '#store/content'
import type { Events } from '#store/events'
import type { Images } from '#store/images'
import type { Lease, LeaseOptions } from '#store/leases'
import type { Addresses, BuildCache, Containers, Networks, Ports, RecordKinds, Volumes } from '#store/records'

export interface StoreOptions {
  /** Survives reboots: /var/lib/bale. */
  root: string
  /** Gone after a reboot: /run/bale. */
  run: string
  /** For layers that are written from now on. */
  layerFormat: LayerFormatReference
  /** For reading layers of the other format that the store may hold. */
  otherFormats?: readonly LayerFormatReference[]
  /** What the rooms above know about the records that they keep here. */
  kinds?: RecordKinds
  clock?: Clock
  log?: Log
  /** Worker threads for layers; as many as there are cores, at most 4, by default. */
  workers?: number
}

/** What this machine knows. Any number of processes may have one store open at once. */
export interface Store extends ImageSource, ImageTarget, LocalFiles, AsyncDisposable {
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
  lease(options?: LeaseOptions): Promise<Lease>
  diskUsage(): Promise<DiskUsage>
  /** Garbage collection: what nobody refers to, what crashed processes left, leases of the dead. */
  collect(): Promise<Collected>
  check(options?: CheckOptions): Promise<Finding[]>
}
