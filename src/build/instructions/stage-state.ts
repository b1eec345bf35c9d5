import { fullHistory } from '#image'
import type { ContainerConfig, History, ImageConfig, Platform } from '#spec'

/** An entry of the history; one with a step gets its time and layer from that step's result. */
export type HistoryEntry = History & { readonly step?: string }

/** What an instruction sees: the image so far. Never changed; every instruction gives a new one. */
export interface StageState {
  readonly platform: Platform
  readonly config: Readonly<ContainerConfig>
  readonly author: string | undefined
  /** Values for `$name`: environment and arguments in scope, in order of their first appearance. */
  readonly variables: ReadonlyMap<string, string>
  /** Arguments declared so far, for history: name and value. */
  readonly declared: ReadonlyMap<string, string>
  /** Members of the base's config that are neither of these (os.version …). */
  readonly base: ImageConfig | undefined
  /** `created` is filled in at the end for the entries without a layer. */
  readonly history: readonly HistoryEntry[]
  /** CMD is set in this file, so ENTRYPOINT does not drop it. */
  readonly commandIsSet: boolean
  /** WORKDIR is set in this file: the working directory no longer depends on the base image. */
  readonly workdirIsSet: boolean
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const HISTORY_COMMENT = 'buildkit.dockerfile.v0'

/** The state behind `FROM image`, or `FROM scratch` with undefined. */
export function stateOfImage(base: ImageConfig | undefined, platform: Platform): StageState {
  return withPath({
    platform,
    config: base?.config ?? {},
    author: base?.author,
    variables: new Map(),
    declared: new Map(),
    base,
    history: base ? fullHistory(base) : [],
    commandIsSet: false,
    workdirIsSet: false,
  })
}

/** The state behind `FROM stage`: arguments of that stage stay in scope (as in BuildKit). */
export function stateOfStage(parent: StageState): StageState {
  return withPath({ ...parent, commandIsSet: false })
}

function withPath(state: StageState): StageState {
  const set = (state.config.Env ?? []).map(splitEnv)
  const known = { ...state, variables: new Map([...state.variables, ...set]) }
  return set.some(([name]) => name === 'PATH') ? known : withEnv(known, 'PATH', DEFAULT_PATH)
}

export function withConfig(state: StageState, changes: ContainerConfig): StageState {
  return { ...state, config: { ...state.config, ...changes } }
}

export function withoutConfig(state: StageState, member: keyof ContainerConfig): StageState {
  const { [member]: _, ...config } = state.config
  return { ...state, config }
}

export function withEnv(state: StageState, name: string, value: string): StageState {
  const env = state.config.Env ?? []
  const index = env.findIndex((entry) => splitEnv(entry)[0] === name)
  const entry = `${name}=${value}`
  const changed = withConfig(state, { Env: index < 0 ? [...env, entry] : env.with(index, entry) })
  return { ...changed, variables: new Map([...state.variables, [name, value]]) }
}

export function splitEnv(entry: string): [string, string] {
  const equals = entry.indexOf('=')
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
}

/** An entry without a layer; its time is that of its neighbours. */
export function recordEmpty(state: StageState, createdBy: string): StageState {
  return withEntry(state, { created_by: createdBy, comment: HISTORY_COMMENT, empty_layer: true })
}

/** An entry for what a step makes. */
export function recordStep(state: StageState, createdBy: string, step: string): StageState {
  return withEntry(state, { created_by: createdBy, comment: HISTORY_COMMENT, step })
}

function withEntry(state: StageState, entry: HistoryEntry): StageState {
  return { ...state, history: [...state.history, entry] }
}

/**
 * Gives entries without a time the time of the first new layer, or of the layer before them: an image built again from
 * the cache is the same image.
 */
export function fillCreated(history: readonly History[], fallback: string): History[] {
  const firstNew = history.findIndex((entry) => entry.created === undefined)
  if (firstNew < 0) return [...history]
  let created =
    history.slice(firstNew).find((entry) => entry.created !== undefined)?.created ??
    history.slice(0, firstNew).findLast((entry) => entry.created !== undefined)?.created ??
    fallback
  return history.map((entry, index) => {
    if (index > firstNew && entry.created !== undefined) created = entry.created
    return { created: entry.created ?? created, ...entry }
  })
}
