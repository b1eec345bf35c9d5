import type { ContainerConfig, Digest, History, ImageConfig, Platform } from '#spec'

/** What an instruction sees and changes: the image so far. */
export interface StageState {
  platform: Platform
  config: ContainerConfig
  author: string | undefined
  /** Values for `$name`: environment and arguments in scope, in order of their first appearance. */
  variables: Map<string, string>
  /** Arguments declared so far, for history: name and value. */
  declared: Map<string, string>
  /** Members of the base's config that are neither of these (os.version …). */
  base: ImageConfig | undefined
  /** `created` is filled in at the end for the entries without a layer. */
  history: History[]
  diffIds: Digest[]
  /** CMD stood in this file, so ENTRYPOINT does not drop it. */
  commandIsSet: boolean
}

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
export const HISTORY_COMMENT = 'buildkit.dockerfile.v0'

/** The state behind `FROM image`, or `FROM scratch` with undefined. */
export function stateOfImage(base: ImageConfig | undefined, platform: Platform): StageState {
  return withPath({
    platform,
    config: structuredClone(base?.config ?? {}),
    author: base?.author,
    variables: new Map(),
    declared: new Map(),
    base,
    history: base ? historyOf(base) : [],
    diffIds: [...(base?.rootfs.diff_ids ?? [])],
    commandIsSet: false,
  })
}

/** The base's history with one entry for each layer, also where the base tells fewer or more (some tools write none). */
function historyOf({ history = [], rootfs, created }: ImageConfig): History[] {
  let left = rootfs.diff_ids.length
  const entries = history.map((entry) => (entry.empty_layer || left-- > 0 ? entry : { ...entry, empty_layer: true }))
  const untold = Array.from({ length: Math.max(0, left) }, () => ({ ...(created ? { created } : {}) }))
  return structuredClone([...entries, ...untold])
}

/** The state behind `FROM stage`: arguments of that stage stay in scope (as in BuildKit). */
export function stateOfStage(parent: StageState): StageState {
  return withPath({ ...structuredClone(parent), commandIsSet: false })
}

function withPath(state: StageState): StageState {
  for (const entry of state.config.Env ?? []) {
    const [name, value] = splitEnv(entry)
    state.variables.set(name, value)
  }
  if (!state.config.Env?.some((entry) => splitEnv(entry)[0] === 'PATH')) setEnv(state, 'PATH', DEFAULT_PATH)
  return state
}

export function setEnv(state: StageState, name: string, value: string): void {
  const env = state.config.Env ?? []
  const index = env.findIndex((entry) => splitEnv(entry)[0] === name)
  const entry = `${name}=${value}`
  state.config.Env = index < 0 ? [...env, entry] : env.with(index, entry)
  state.variables.set(name, value)
}

export function splitEnv(entry: string): [string, string] {
  const equals = entry.indexOf('=')
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
}

/** An entry without a layer; its time is that of its neighbours. */
export function recordEmpty(state: StageState, createdBy: string): void {
  state.history.push({ created_by: createdBy, comment: HISTORY_COMMENT, empty_layer: true })
}

export function recordLayer(state: StageState, createdBy: string, diffId: Digest, created: string): void {
  state.history.push({ created, created_by: createdBy, comment: HISTORY_COMMENT })
  state.diffIds.push(diffId)
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
