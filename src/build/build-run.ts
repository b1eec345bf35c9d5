import type { Limiter, Progress } from '#base'
import type { Digest, Platform } from '#spec'
import type { BuildSession } from './build-session.ts'
import type { SourceTree } from './context/source-tree.ts'
import type { Stage, StagePlan } from './stages.ts'

/** A secret that `RUN --mount=type=secret` may ask for. Read when the first step needs it, and kept in memory only. */
export interface BuildSecret {
  id: string
  read(): Promise<Uint8Array>
}

/** What the steps of a build share. */
export interface BuildRun {
  session: BuildSession
  plan: StagePlan
  /** `--build-arg`. */
  given: ReadonlyMap<string, string>
  globals: ReadonlyMap<string, string>
  platform: Platform
  /** `default` of RUN --network. */
  network: 'bridge' | 'none' | 'host'
  hosts: readonly string[]
  allowed: ReadonlySet<string>
  secrets: readonly BuildSecret[]
  shmSize: number | undefined
  /** Seconds since 1970, from SOURCE_DATE_EPOCH. */
  epoch: number | undefined
  /** Whether a stage may take results from the cache. */
  mayUseCache(stage: Stage): boolean
  /** At most so many steps at once. */
  limited: Limiter
  progress: Progress
  signal: AbortSignal
  /** The files that COPY --from=NAME, a mount's from=NAME, or the context (undefined) stand for. */
  source(name: string | undefined, stage: Stage): Promise<StepSource>
}

/** Something to copy or mount from. */
export interface StepSource {
  label: string
  /** Layers, when it is a stage or an image: they tell its content without a look at it. */
  layers: readonly Digest[] | undefined
  open(): Promise<OpenSource>
}

export interface OpenSource extends AsyncDisposable {
  tree: SourceTree
}

/** A step that makes a layer. */
export interface LayerStep {
  /** `RUN make`, without the number. */
  title: string
  /** The history entry. */
  createdBy: string
  /** Keys by which the result may be found, cheapest first; later ones are computed only when the earlier find nothing. */
  keys: readonly (() => Promise<string>)[]
  /**
   * Key of a mark that says whether a step of this definition was ever done, whatever its files were. When there is none,
   * the costly keys are not asked for before the step.
   */
  mark?(): Promise<string>
  execute(output: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void): Promise<StepResult>
  /** Closes what the keys opened. */
  close?(): Promise<void>
}

export interface StepResult {
  /** Undefined: nothing changed, and the instruction wants no empty layer for that. */
  diffId: Digest | undefined
  /** The keys to remember it by, when the files turned out to be others than those of `keys`. */
  keys?: readonly string[]
}
