/**
 * container: containers of this machine. Runtime configuration, runc and crun, the conmon monitor, networks by netavark,
 * volumes, logs, exec, cp, commit. Promises: a container outlives every bale process; its state is read from the
 * machine, not remembered; what a failed start made is undone. Does not: fetch images, parse command lines, print.
 */

export {
  type CopyOptions,
  copyFromContainer,
  copyIntoContainer,
  readContainerPath,
  statContainerPath,
  type WriteOptions,
  writeContainerPath,
} from './copy/container-files.ts'
export type { PathStat } from './copy/pack-path.ts'
export { logAttributes } from './log-options.ts'
export { abandonContainer } from './manager/abandon.ts'
export {
  type PolicyFailure,
  type PolicyResult,
  startByPolicy,
  startOnceAfterBoot,
  stopForShutdown,
} from './manager/after-boot.ts'
export { renameContainer, updateContainer } from './manager/change.ts'
export { createContainer } from './manager/create.ts'
export type {
  Container,
  ContainerDocument,
  ContainerMount,
  EffectiveConfig,
  HealthState,
  RecordedState,
} from './manager/document.ts'
export { type ExecRequest, execContainer, type RunningExec } from './manager/exec.ts'
export { awaitRemoval, cleanupContainer, takeDownIdleNetworks } from './manager/finalize.ts'
export { superviseHealth } from './manager/health.ts'
export { rotateContainerLog } from './manager/log-keeper.ts'
export {
  type ContainerPaths,
  type Machinery,
  type MachineryOptions,
  newId,
  openMachinery,
  pathsOf,
} from './manager/machinery.ts'
export { type Attached, attachContainer, containerLog, type LogRequest, resizeContainer } from './manager/output.ts'
export { containerDiff, exportContainer, storeOwnLayer } from './manager/own-layer.ts'
export { containerProcesses, containerUsage, type ProcessTable, type Usage } from './manager/processes.ts'
export { pruneContainers, type RemoveOptions, removeContainer, writtenSize } from './manager/remove.ts'
export { type Started, type StartOptions, startContainer } from './manager/start.ts'
export { findContainer, type SeenContainer, type Status, see, seeAll, seeContainer } from './manager/state.ts'
export {
  killContainer,
  pauseContainer,
  type RestartOptions,
  restartContainer,
  type StopOptions,
  stopContainer,
  unpauseContainer,
} from './manager/stop.ts'
export { sweepContainers } from './manager/sweep.ts'
export { exitOf, waitContainer } from './manager/wait.ts'
export type { Connection } from './network/connections.ts'
export {
  type CreateNetworkOptions,
  createNetwork,
  DEFAULT_NETWORK,
  defaultNetwork,
  findNetwork,
  type Network,
  type NetworkDocument,
} from './network/network.ts'
export type { PublishedPort } from './network/published-ports.ts'
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
} from './options.ts'
export { createStepRunner, type StepRunner, type StepRunnerOptions, sweepSteps } from './process/create-step-runner.ts'
export type { RunStep, RunStepOptions, StepMount, StepResult } from './run-step.ts'
export type { AttachSession, OutputFrame, TerminalSize } from './runtime/attach.ts'
export type { LogFrame } from './runtime/log-reader.ts'
export { type WallInformation, wallInformation } from './runtime/runtime-information.ts'
export { MASKED_PATHS, READONLY_PATHS } from './spec/default-paths.ts'
export {
  type CreateVolumeOptions,
  createVolume,
  findVolume,
  pruneVolumes,
  removeVolume,
  type Volume,
  type VolumeDocument,
  volumeUsers,
} from './volume/volumes.ts'
