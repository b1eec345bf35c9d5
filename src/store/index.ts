/**
 * store: what this machine knows. Images, layers, containers, volumes, networks, build cache in one SQLite database
 * beside the files; itself an ImageSource and ImageTarget. Promises: what is visible is complete and right, also after
 * power loss; success survives power loss; leftovers of a crash only cost space; damage is found, never served; one
 * damaged image never breaks the others. Does not: mount, run, or know how a layer lies in its directory (LayerFormat).
 */
export type { CheckOptions, Finding } from './check.ts'
export type { Collected } from './collect.ts'
export type { DiskUsage, ImageUsage } from './disk-usage.ts'
export type { FoundImage, Images, PruneImagesOptions, Removed, RemovedRecord, RemoveImageOptions } from './images.ts'
export type {
  LayerFormat,
  LayerFormatName,
  LayerFormatReference,
  LayerRecord,
  WrittenLayer,
} from './layer-format.ts'
export type { Layers } from './layers.ts'
export type { Lease, LeaseOptions, PinKind } from './leases.ts'
export type { Addresses, ClaimedPort, PortRequest, Ports } from './network-claims.ts'
export { openStore } from './open-store.ts'
export type {
  BuildCache,
  CacheRecord,
  ContainerRecord,
  Containers,
  NetworkRecord,
  Networks,
  VolumeRecord,
  Volumes,
} from './records.ts'
export type { Store, StoreOptions } from './store.ts'
export type { StoredImage } from './stored-image.ts'
