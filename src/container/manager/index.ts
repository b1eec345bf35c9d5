/**
 * manager: the operations on containers: create, start, stop, change, remove, inspect, clean up. Each takes the
 * container's lock for as long as it changes something.
 */

export { abandonContainer } from './abandon.ts'
export { type PolicyResult, startByPolicy, startOnceAfterBoot, stopForShutdown } from './after-boot.ts'
export { renameContainer, updateContainer } from './change.ts'
export { connectNetwork, disconnectNetwork } from './change-networks.ts'
export { leaveContainerAlone } from './container-end.ts'
export { createContainer } from './create.ts'
export { type ExecRequest, execContainer, type RunningExec } from './exec.ts'
export { announceExecEnd } from './exec-end.ts'
export { findExec, runningExecs, type SeenExec } from './exec-records.ts'
export { awaitRemoval, cleanupContainer, takeDownIdleNetworks } from './finalize.ts'
export { superviseHealth } from './health.ts'
export { rotateContainerLog } from './log-keeper.ts'
export {
  addNetwork,
  allNetworks,
  connectedContainers,
  networkOf,
  pruneNetworks,
  removeNetwork,
  theDefaultNetwork,
  usedNetworks,
} from './networks.ts'
export {
  type Attached,
  attachContainer,
  type ContainerOutput,
  containerOutput,
  type LogRequest,
  resizeContainer,
} from './output.ts'
export { containerDiff, exportContainer, mountContainer, storeOwnLayer } from './own-layer.ts'
export { containerProcesses, containerUsage, type ProcessTable, type Usage } from './processes.ts'
export { pruneContainers, type RemoveOptions, removeContainer, writtenSize } from './remove.ts'
export { type Started, type StartOptions, startContainer } from './start.ts'
export {
  killContainer,
  pauseContainer,
  type RestartOptions,
  restartContainer,
  type StopOptions,
  stopContainer,
  unpauseContainer,
} from './stop.ts'
export { sweepContainers } from './sweep.ts'
export { exitOf, waitContainer } from './wait.ts'
