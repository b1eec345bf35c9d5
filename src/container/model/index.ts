/**
 * model: the stored records of containers, networks and volumes, and the options of a container. Types,
 * names of predefined networks, and what a change of a record means as events: the rest of the room builds on it.
 */

export type { Connection, PublishedPort } from './connection.ts'
export {
  CONTAINER_DOCUMENT_VERSION,
  type Container,
  type ContainerDocument,
  type ContainerMount,
  type EffectiveConfig,
  type HealthState,
  type RecordedState,
} from './container-document.ts'
export { type CreateNetworkOptions, DEFAULT_NETWORK, type Network, type NetworkDocument } from './network-document.ts'
export { isDefaultNetwork, isOwnNetwork, sharedWith, sharing } from './network-mode.ts'
export type {
  ContainerImage,
  ContainerOptions,
  DeviceLimit,
  DeviceRequest,
  HostOptions,
  LogOptions,
  MountRequest,
  NetworkRequest,
  PortRequest,
  ProcessOptions,
  Resources,
  RestartPolicy,
  Ulimit,
} from './options.ts'
export { containerEvent, containerEvents, networkEvents, volumeEvents } from './record-events.ts'
export type { RunStep, RunStepOptions, StepMount, StepResult } from './run-step.ts'
export type { Volume, VolumeDocument } from './volume-document.ts'
