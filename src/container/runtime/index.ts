/**
 * runtime: the programs below. Finds them, calls runc and crun, starts processes under conmon, connects to their streams,
 * reads exit codes and logs.
 */

export { lastLoggedError, netavarkReason } from './answers.ts'
export { ensureApparmorProfile } from './apparmor.ts'
export {
  type AttachSession,
  attachAhead,
  attachTo,
  type OutputFrame,
  reopenLog,
  resizeTerminal,
  type TerminalSize,
} from './attach.ts'
export { readExitFile, waitForExit } from './exit-file.ts'
export { type LogPlace, rotateLog } from './log-files.ts'
export { checkLogOptions, logAttributes, logLimits } from './log-options.ts'
export { type LogFrame, readLog } from './log-reader.ts'
export {
  type ExecSession,
  type Monitored,
  openExecMonitor,
  openMonitor,
  type WaitingMonitor,
} from './monitor.ts'
export { type Programs, programs } from './programs.ts'
export { openRuntime, type Runtime, runtimeOfState } from './runtime.ts'
export { runtimeFailure } from './runtime-failure.ts'
export { wallInformation } from './runtime-information.ts'
