/**
 * What long operations tell while they work. The command line draws them, the Engine API streams them as docker's JSON
 * lines, a program may ignore them. An `id` names one thing of the operation (short digest of a layer, build step).
 */
export type ProgressEvent =
  | { kind: 'message'; text: string }
  | { kind: 'warning'; text: string }
  /** A thing changes state: `Pulling fs layer`, `Download complete`, `Already exists`, `Pushed` … (docker's words). */
  | { kind: 'status'; id: string; status: string }
  /** A thing advances: bytes (or units) done and, when known, in all. */
  | { kind: 'advance'; id: string; status: string; current: number; total?: number }
  /** A build step begins, is taken from the cache, or ends. `name` is `[stage 2/5] RUN make`. */
  | { kind: 'step'; id: string; name: string; state: 'start' | 'cached' | 'done' | 'failed'; seconds?: number }
  /** Output of a build step. */
  | { kind: 'output'; id: string; stream: 'stdout' | 'stderr'; bytes: Uint8Array }

export type Progress = (event: ProgressEvent) => void

/** The last argument of every long function. */
export interface OperationOptions {
  signal?: AbortSignal
  progress?: Progress
}

export const silent: Progress = () => undefined
