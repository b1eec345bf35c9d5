/**
 * model: what the store keeps of containers, networks and volumes, and what a container is asked to be. Types alone, and the
 * names of predefined networks: everything else of the room stands on it.
 */

export type { Connection, PublishedPort } from './connection.ts'
export type {
  Container,
  ContainerDocument,
  ContainerMount,
  EffectiveConfig,
  HealthState,
  RecordedState,
} from './container-document.ts'
export { type CreateNetworkOptions, DEFAULT_NETWORK, type Network, type NetworkDocument } from './network-document.ts'
export type {
  ContainerImage,
  ContainerOptions,
  DeviceLimit,
  DeviceRequest,
  HostOptions,
  LogOptions,
  MountRequest,
  PortRequest,
  ProcessOptions,
  Resources,
  RestartPolicy,
  Ulimit,
} from './options.ts'
export type { RunStep, RunStepOptions, StepMount, StepResult } from './run-step.ts'
export type { Volume, VolumeDocument } from './volume-document.ts'
