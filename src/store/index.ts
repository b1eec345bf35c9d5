/**
 * store: what this machine knows. Images, layers, containers, volumes, networks, build cache in one SQLite database
 * beside the files; itself an ImageSource, and each operation on it an ImageTarget. Promises: what is visible is complete and correct, even after
 * power loss; success survives power loss; leftovers of a crash only cost space; damage is found, never served; one
 * damaged image never breaks the others. Does not: mount, run, or know how a layer is laid out in its directory (LayerFormat).
 */
export type { CheckOptions, Collected, DiskUsage, Finding, ImageUsage } from '#store/collection'
export type { LayerIntake, Layers } from '#store/content'
export type { Events, EventType, FollowOptions, NewEvent, StoreEvent } from '#store/events'
export type {
  FoundImage,
  Images,
  NewImage,
  PruneImagesOptions,
  RemovalRecord,
  Removed,
  RemoveImageOptions,
  StoredImage,
} from '#store/images'
export type { LayerFormat, LayerFormatLoaders, LayerFormats } from '#store/layer-jobs'
export type {
  Addresses,
  BuildCache,
  CacheRecord,
  ClaimedPort,
  ContainerRecord,
  Containers,
  NetworkRecord,
  Networks,
  PortRequest,
  Ports,
  RecordKind,
  RecordKinds,
  VolumeRecord,
  Volumes,
} from '#store/records'
export { nameInUse } from '#store/records'
export { databasePath, type LayerFormatName, type LayerRecord, type PinKind, type WrittenLayer } from '#store/rows'
export { openStore } from './open-store.ts'
export type { OperationPurpose, StoreOperation } from './operation.ts'
export type { Store, StoreOptions } from './store.ts'
export type { StoreSource } from './store-place.ts'
