/**
 * base: the foundation of every room. Errors with codes and next steps, progress facts, clock, limiter, single flight, disposal,
 * whole reads of streams. Promises: no `node:` import, no container words, no state. Does not: touch files, processes or the network.
 */

export { bothEnded } from './both-ended.ts'
export { bytewise } from './bytewise.ts'
export { type Clock, systemClock } from './clock.ts'
export { disposable } from './disposal.ts'
export { editDistance } from './edit-distance.ts'
export {
  asError,
  BaleError,
  type BaleErrorOptions,
  commandExitCode,
  errnoOf,
  isBaleError,
  printable,
  withoutSecrets,
} from './error.ts'
export { ERROR_CODES, type ErrorCode } from './error-codes.ts'
export { firstError } from './first-error.ts'
export { followLinks, type LinkWalk } from './follow-links.ts'
export { isUrl } from './is-url.ts'
export { createLimiter, type Limiter, mapLimited } from './limiter.ts'
export { type Log, noLog, toldBy } from './log.ts'
export { nearest } from './nearest.ts'
export type { NextStep } from './next-step.ts'
export { createPiecePool, type PiecePool } from './piece-pool.ts'
export {
  type BlobProgress,
  type CopyAct,
  type ImageProgress,
  type LayerProgress,
  type ManifestProgress,
  type OperationOptions,
  type Progress,
  type ProgressEvent,
  silent,
} from './progress.ts'
export { readAll } from './read-all.ts'
export type { Recovered, Recovery } from './recovery.ts'
export { createSingleFlight } from './single-flight.ts'
export { table } from './table.ts'
export { untilAborted } from './until-aborted.ts'
export { fitsPath, fitsText } from './wildcards.ts'
