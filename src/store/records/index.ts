/**
 * store/records: what the rooms above keep here: containers, volumes, networks, build cache, and the addresses and ports
 * given to containers. A record has an identity, the columns that others look things up by, and a JSON document that only
 * its owner reads. Promises: every write is durable when its promise is fulfilled; a record holds its layers. Does not:
 * know what a document means.
 */
export { type BuildCache, type CacheRecord, createBuildCache } from './build-cache.ts'
export type { ContainerRecord } from './container-rows.ts'
export { type Containers, createContainers, nameInUse } from './containers.ts'
export { assertShape, type Shape, versionOf } from './document-shape.ts'
export {
  type Addresses,
  type ClaimedPort,
  createAddresses,
  createPorts,
  type PortRequest,
  type Ports,
} from './network-claims.ts'
export { createNetworks, type NetworkRecord, type Networks, networkNameTaken } from './networks.ts'
export type { RecordKind } from './record-kind.ts'
export type { RecordKinds } from './record-kinds.ts'
export { createVolumes, type VolumeRecord, type Volumes } from './volumes.ts'
