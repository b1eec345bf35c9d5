/**
 * container: containers of this machine. Runtime configuration, runc and crun, the conmon monitor, networks by netavark,
 * volumes, logs, exec, cp, commit. Promises: a container outlives every bale process; its state is read from the
 * machine, not remembered; what a failed start made is undone. Does not: fetch images, parse command lines, print.
 */

export type { PathStat } from './archive/index.ts'
export type { CopyOptions, WriteOptions } from './copy/index.ts'
export {
  type Attached,
  abandonContainer,
  type ContainerOutput,
  type ExecRecord,
  type ExecRequest,
  type LogRequest,
  type PolicyFailure,
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
  Connection,
  Container,
  ContainerDocument,
  ContainerImage,
  ContainerMount,
  ContainerOptions,
  CreateNetworkOptions,
  DeviceRequest,
  EffectiveConfig,
  HealthState,
  HostOptions,
  MountRequest,
  Network,
  NetworkDocument,
  NetworkRequest,
  PortRequest,
  ProcessOptions,
  PublishedPort,
  RecordedState,
  Resources,
  RestartPolicy,
  RunStep,
  RunStepOptions,
  StepMount,
  StepResult,
  Ulimit,
  Volume,
  VolumeDocument,
} from './model/index.ts'
export {
  type ContainerExecs,
  type ContainerFiles,
  type ContainerLifecycle,
  type ContainerLogs,
  type ContainerStates,
  type Containers,
  type Networks,
  type OpenContainersOptions,
  openContainers,
  type Steps,
  type Upkeep,
  type Volumes,
} from './open-containers.ts'
export type { StepRunner } from './process/index.ts'
export {
  type AttachSession,
  type LogFrame,
  type OutputFrame,
  type TerminalSize,
  type WallInformation,
  wallInformation,
} from './runtime/index.ts'
export { MASKED_PATHS, READONLY_PATHS } from './spec/index.ts'
export type { ContainerPaths, SeenContainer, Status } from './state/index.ts'
export type { CreateVolumeOptions } from './volume/index.ts'
