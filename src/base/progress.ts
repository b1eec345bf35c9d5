/**
 * What long operations report while they work: facts, never text. A door phrases them (`statusLines` of the room
 * `docker` has docker's messages), a program may ignore them. Digests are whole (`sha256:…`), sizes are bytes.
 */
export type ProgressEvent =
  /** Something is not as requested, but the operation continues. The text names no verb or flag. */
  | { kind: 'warning'; text: string }
  /** The operation is blocked until another process is done. `what` completes "waiting for". */
  | { kind: 'waiting'; what: string }
  | LayerProgress
  | BlobProgress
  | ManifestProgress
  | ImageProgress
  /** A build step begins, is taken from the cache, or ends. `name` is `[stage 2/5] RUN make`. */
  | { kind: 'step'; id: string; name: string; state: 'start' | 'cached' | 'done' | 'failed'; seconds?: number }
  /**
   * A Dockerfile check reported a finding; the build continues. `rule` is the name of the check, `detail` what it says about
   * this file, `lines` the numbers of the affected lines, `url` a page that explains it.
   */
  | {
      kind: 'finding'
      rule: string
      description: string
      detail: string
      url?: string | undefined
      lines: readonly number[]
    }
  /** Output of a build step. */
  | { kind: 'output'; id: string; stream: 'stdout' | 'stderr'; bytes: Uint8Array }

/** The direction: from a registry, to a registry, from an archive, to an archive. */
export type CopyAct = 'pull' | 'push' | 'load' | 'save'

/**
 * One layer of an image. It goes `planned`, perhaps `waiting` (others of the same operation go first, or another process is
 * at this layer), `moving` many times, and ends with `done`. `exists`: the target has it. `mounted`: the registry linked it
 * from another repository of its own. In both no bytes move. `analysing`: its files are looked at.
 */
export type LayerProgress = { kind: 'layer'; digest: string } & (
  | { phase: 'planned' | 'exists' | 'done'; act: CopyAct }
  | { phase: 'moving'; act: CopyAct; current: number; total: number }
  | { phase: 'mounted'; from: string }
  | { phase: 'compressing'; current: number; total: number }
  | { phase: 'waiting' | 'checking' | 'analysing' | 'analysed' }
)

/** Any blob: a layer, a config, a part of an artifact. A transfer that failed for a temporary reason continues after a pause. */
export type BlobProgress = { kind: 'blob'; digest: string } & (
  | { phase: 'checking' }
  | { phase: 'retrying'; seconds: number }
)

/** The target had a whole manifest before, so nothing was said of its layers one by one; they are listed here. */
export type ManifestProgress = {
  kind: 'manifest'
  digest: string
  phase: 'exists'
  act: CopyAct
  layers: readonly string[]
}

/**
 * An image as a whole, on its way from or to a registry. `missing`: it is not here and will be pulled. `label` is the tag or
 * digest that is pulled from `repository` (`library/debian`); a push names the repository with its registry. `digest` and
 * `size` are those of the manifest or index; `unchanged`: the store had it under this name.
 */
export type ImageProgress = { kind: 'image' } & (
  | { phase: 'missing'; name: string }
  | { phase: 'pulling'; repository: string; label: string }
  | { phase: 'pulled'; name: string; digest: string; unchanged: boolean }
  | { phase: 'pushing'; repository: string }
  | { phase: 'pushed'; tag: string; digest: string; size: number }
)

/** Receives the progress of an operation. Must not throw. */
export type Progress = (event: ProgressEvent) => void

/** The last argument of every long function. */
export interface OperationOptions {
  signal?: AbortSignal
  progress?: Progress
}

/** Discards progress. */
export const silent: Progress = () => undefined
