/**
 * container: containers of this machine. Runtime configuration, runc and crun, the conmon monitor, networks by netavark,
 * volumes, logs, exec, cp, commit. Promises: a container outlives every bale process; its state is read from the
 * machine, not remembered; what a failed start made is undone. Does not: fetch images, parse command lines, print.
 */

export type { CopyOptions, WriteOptions } from './copy/index.ts'
export {
  type Attached,
  abandonContainer,
  type ContainerOutput,
  type ExecRequest,
  type LogRequest,
  type PolicyResult,
  type ProcessTable,
  type RemoveOptions,
  type RestartOptions,
  type RunningExec,
  type SeenExec,
  type Started,
  type StartOptions,
  type StopOptions,
  type Usage,
} from './manager/index.ts'
export type {
  Container,
  ContainerImage,
  ContainerOptions,
  CreateNetworkOptions,
  DeviceRequest,
  HostOptions,
  MountRequest,
  NetworkRequest,
  PortRequest,
  ProcessOptions,
  PublishedPort,
  Resources,
  RestartPolicy,
  RunStep,
  StepMount,
  Ulimit,
} from './model/index.ts'
export { type Containers, openContainers } from './open-containers.ts'
export type { StepRunner } from './process/index.ts'
export {
  type AttachSession,
  type LogFrame,
  type OutputFrame,
  type TerminalSize,
  wallInformation,
} from './runtime/index.ts'
export { MASKED_PATHS, READONLY_PATHS } from './spec/index.ts'
export type { ContainerPaths, SeenContainer } from './state/index.ts'
export type { CreateVolumeOptions } from './volume/index.ts'
