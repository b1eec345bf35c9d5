/**
 * container: containers of this machine. Runtime configuration, runc and crun, the conmon monitor, networks by netavark,
 * volumes, logs, exec, cp, commit. Promises: a container outlives every bale process; its state is read from the
 * machine, not remembered; what a failed start made is undone. Does not: fetch images, parse command lines, print.
 */

export type { CopyOptions, WriteOptions } from './copy/container-files.ts'
export type { PathStat } from './copy/pack-path.ts'
export { abandonContainer } from './manager/abandon.ts'
export type { PolicyFailure, PolicyResult } from './manager/after-boot.ts'
export type {
  Container,
  ContainerDocument,
  ContainerMount,
  EffectiveConfig,
  HealthState,
  RecordedState,
} from './manager/document.ts'
export type { ExecRequest, RunningExec } from './manager/exec.ts'
export type { ContainerPaths } from './manager/machinery.ts'
export type { Attached, ContainerOutput, LogRequest } from './manager/output.ts'
export type { ProcessTable, Usage } from './manager/processes.ts'
export type { RemoveOptions } from './manager/remove.ts'
export type { Started, StartOptions } from './manager/start.ts'
export type { SeenContainer, Status } from './manager/state.ts'
export type { RestartOptions, StopOptions } from './manager/stop.ts'
export type {
  ContainerImage,
  ContainerOptions,
  DeviceRequest,
  HostOptions,
  MountRequest,
  PortRequest,
  ProcessOptions,
  Resources,
  RestartPolicy,
  Ulimit,
} from './model/options.ts'
export type { RunStep, RunStepOptions, StepMount, StepResult } from './model/run-step.ts'
export type { Connection } from './network/connections.ts'
export { type CreateNetworkOptions, DEFAULT_NETWORK, type Network, type NetworkDocument } from './network/network.ts'
export type { PublishedPort } from './network/published-ports.ts'
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
export type { StepRunner } from './process/create-step-runner.ts'
export type { AttachSession, OutputFrame, TerminalSize } from './runtime/attach.ts'
export type { LogFrame } from './runtime/log-reader.ts'
export { type WallInformation, wallInformation } from './runtime/runtime-information.ts'
export { MASKED_PATHS, READONLY_PATHS } from './spec/default-paths.ts'
export type { CreateVolumeOptions, Volume, VolumeDocument } from './volume/volumes.ts'
