import { BaleError, createLimiter, isBaleError, printable, silent } from '#base'
import type { PackedEntry } from '#format/tar'
import { type ImageDocuments, makeImage, plainLayer } from '#image'
import { flatten } from '#rootfs'
import {
  formatPlatform,
  fullName,
  type ImageConfig,
  type Platform,
  parsePlatform,
  parseReference,
  withDefaultTag,
} from '#spec'
import { evaluateGlobals, guarded, lookIn, platformArguments, unusedArguments } from './build-arguments.ts'
import type { BuildOptions } from './build-options.ts'
import type { BuildRun, BuildSecret, LayerStep } from './build-run.ts'
import { type BuildSession, openBuildSession } from './build-session.ts'
import { type OpenContext, openContext } from './context/open-context.ts'
import { dockerfileError, expandWord, isKnownSyntax, parseDockerfile } from './dockerfile/index.ts'
import type { BuildMachine, FoundBase } from './machine.ts'
import { checkBuildContexts, createSources, findStage, imageOfContext } from './sources.ts'
import {
  buildStage,
  countLayerSteps,
  createdAt,
  type StepNames,
  stepNames,
  takeStep,
  takeTriggers,
} from './stage-builder.ts'
import { fillCreated, type StageState, stateOfImage, stateOfStage } from './stage-state.ts'
import { earlierStage, planStages, type Stage, type StagePlan, targetStage } from './stages.ts'
import { contextStep } from './steps/context-step.ts'
import { explainAt } from './steps/explain.ts'

/** A built image: its documents, and a hold on its layers until it is disposed. Put it into the store to keep it. */
export interface BuiltImage extends AsyncDisposable {
  readonly image: ImageDocuments
  readonly platform: Platform
  /** The files of the image as one tree. */
  files(): AsyncIterable<PackedEntry>
}

/**
 * Builds an image from a Dockerfile: only the stages that the target needs, independent ones at the same time, every step
 * from the cache when its inputs are those of before. Throws DOCKERFILE_INVALID, BUILD_FAILED, PATH_NOT_FOUND … with file
 * and line. On failure or abort nothing stays but what the cache holds.
 */
export async function build(machine: BuildMachine, options: BuildOptions): Promise<BuiltImage> {
  checkBuildContexts(options.buildContexts ?? new Map())
  checkFrontEnd(options.buildArguments?.get('BUILDKIT_SYNTAX'))
  const stack = new AsyncDisposableStack()
  try {
    const session = stack.use(await openBuildSession(machine))
    const context = stack.use(await openContext(session, options.context, options.dockerfile, options))
    const dockerfile = parseDockerfile(context.dockerfile.text, context.dockerfile.name)
    for (const text of dockerfile.warnings) options.progress?.({ kind: 'warning', text })
    const plan = planStages(dockerfile)
    const target = targetStage(plan, options.target)
    const stages = createStages(session, context, plan, options)
    const state = await stages.build(target)
    warnUnused(plan, options)
    const image = await describeImage(stages.run, state, options)
    return {
      image,
      platform: state.platform,
      async *files() {
        await using mounted = await session.mount(state.diffIds, { signal: options.signal })
        yield* flatten(mounted.path)
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** The argument is a second way to name a front end; it is run no more than the first (B04). */
function checkFrontEnd(syntax: string | undefined): void {
  if (!syntax || isKnownSyntax(syntax)) return
  throw new BaleError('UNSUPPORTED', `the front end ${printable(syntax)} of BUILDKIT_SYNTAX is not supported`, {
    hint: 'bale has docker/dockerfile built in and runs no other front end',
  })
}

/** Stages that are built at most once, each with all it needs begun at the same time. */
function createStages(session: BuildSession, context: OpenContext, plan: StagePlan, options: BuildOptions) {
  const { machine } = session
  const given = options.buildArguments ?? new Map<string, string>()
  const platform = options.platform ?? machine.platform
  const globals = evaluateGlobals(plan, given, platformArguments(platform, machine.platform))
  const contexts = options.buildContexts ?? new Map<string, string>()
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const states = new Map<number, Promise<StageState>>()
  const images = new Map<string, Promise<FoundBase>>()
  const progress = options.progress ?? silent

  const findImage = (name: string, wanted: Platform): Promise<FoundBase> => {
    const key = `${formatPlatform(wanted)} ${name}`
    const found =
      images.get(key) ?? machine.findImage(name, { platform: wanted, pull: options.pull ?? false, signal, progress })
    images.set(key, found)
    return found
  }
  const imageLayers = async (name: string, wanted: Platform) => {
    const { image } = await findImage(name, wanted)
    for (const diffId of image.config.rootfs.diff_ids) await session.lease.add('layer', diffId)
    return image.config.rootfs.diff_ids
  }
  const stateOf = (stage: Stage): Promise<StageState> => {
    const running = states.get(stage.index) ?? make(stage)
    states.set(stage.index, running)
    // Whoever waits for it gets the failure; nobody may be waiting yet.
    running.catch((error: unknown) => stop.abort(error))
    return running
  }
  const run: BuildRun = {
    ...{ session, plan, given, globals, platform, signal, progress },
    network: options.network ?? 'bridge',
    hosts: options.hosts ?? [],
    allowed: new Set(options.allow),
    secrets: (options.secrets ?? []).map(readOnce),
    shmSize: options.shmSize,
    epoch: sourceDateEpoch(options, globals),
    mayUseCache: cachePolicy(options),
    limited: createLimiter(options.jobs ?? 2),
    source: createSources({
      ...{ session, plan, contexts, platform, signal },
      context: context.tree,
      stage: stateOf,
      image: imageLayers,
    }),
  }

  /** The state behind FROM, with the step that shows it. */
  async function base(stage: Stage): Promise<Base> {
    const { instruction } = stage.from
    const fill = (text: string) =>
      guarded(instruction, () => expandWord(text, lookIn(globals), { escape: instruction.escapeCharacter }).text)
    const name = fill(stage.from.image)
    if (name === '') {
      throw dockerfileError(
        instruction.source,
        instruction.range.start,
        `base name (${stage.from.image}) should not be blank`,
        {
          hint: 'give the argument a default before FROM, or with --build-arg',
        },
      )
    }
    const flag = stage.from.platform === undefined ? '' : fill(stage.from.platform)
    const wanted = flag === '' ? platform : parsePlatform(flag)
    const place = contexts.get(name)
    const parent = place === undefined ? earlierStage(plan, name, stage.index) : undefined
    if (parent) return { state: stateOfStage(await stateOf(parent)), title: undefined, isCached: true, name }
    if (name.toLowerCase() === 'scratch' && place === undefined) {
      return { state: stateOfImage(undefined, wanted), title: undefined, isCached: true, name }
    }
    const reference = place === undefined ? name : imageOfContext(place)
    if (reference === undefined) {
      const files = () => contextStep(run, name, () => run.source(name, stage))
      return { state: stateOfImage(undefined, wanted), title: undefined, files, isCached: false, name }
    }
    const full = isImageId(reference) || reference.includes('://') ? reference : nameAt(stage, reference)
    const { image, wasLocal } = await findImage(full, wanted)
    for (const diffId of image.config.rootfs.diff_ids) await session.lease.add('layer', diffId)
    warnPlatform(run, image.platform, wanted, name)
    const isShort = /^[0-9a-f]+$/.test(full) && !image.id.startsWith(`sha256:${full}`)
    const shown = isShort ? fullName(withDefaultTag(parseReference(full))) : full
    return { state: stateOfImage(image.config, image.platform), title: `FROM ${shown}`, isCached: wasLocal, name }
  }

  async function make(stage: Stage): Promise<StageState> {
    const { instruction } = stage.from
    // Begun now, so that independent stages run at the same time; their failures are met where they are needed.
    for (const needed of neededStages(plan, stage, contexts)) stateOf(needed).catch(() => undefined)
    const started = machine.clock.now()
    const { state, title, files, isCached, name } = await base(stage).catch((error: unknown) => {
      throw explainAt(instruction)(error)
    })
    const commands = [...takeTriggers(state, name), ...stage.commands]
    const names = stepNames(stage, plan.stages.length, countLayerSteps(commands) + (title || files ? 1 : 0))
    if (title) showBase(run, names, title, isCached, machine.clock.now() - started)
    if (files)
      await takeStep(run, stage, state, await files(), names).catch((error: unknown) => {
        throw explainAt(instruction)(error)
      })
    await buildStage(run, stage, state, commands, names)
    return state
  }

  return {
    run,
    async build(target: Stage): Promise<StageState> {
      try {
        return await stateOf(target)
      } catch (error) {
        // The first failure stops the others, which then fail with it; wait until all have undone their work.
        stop.abort(error)
        await Promise.allSettled(states.values())
        throw options.signal?.aborted ? aborted(options.signal) : error
      }
    },
  }
}

/** A pipe gives its bytes once; every step of the build gets the same. */
function readOnce({ id, read }: BuildSecret): BuildSecret {
  let value: Promise<Uint8Array> | undefined
  return {
    id,
    read() {
      value ??= read()
      return value
    },
  }
}

/** What stands behind FROM. */
interface Base {
  state: StageState
  /** Shown as a step, for an image. */
  title: string | undefined
  /** Makes the first layer, for a context. */
  files?: () => Promise<LayerStep>
  isCached: boolean
  name: string
}

/** A name as it is written out in full, unless it can only be an ID, or the beginning of one: which, the store knows. */
function nameAt(stage: Stage, text: string): string {
  const reference = parseReferenceAt(stage, text)
  return /^[0-9a-f]{1,64}$/.test(text) ? text : fullName(withDefaultTag(reference))
}

/** `sha256:…`, whole or in part, or 64 digits: never a name. */
function isImageId(text: string): boolean {
  return /^sha256:[0-9a-f]{1,64}$|^[0-9a-f]{64}$/.test(text)
}

function aborted(signal: AbortSignal): unknown {
  return isBaleError(signal.reason)
    ? signal.reason
    : new BaleError('ABORTED', 'the build was cancelled', { cause: signal.reason })
}

function parseReferenceAt(stage: Stage, text: string) {
  try {
    return parseReference(text)
  } catch (error) {
    throw explainAt(stage.from.instruction)(error)
  }
}

/** Stages that this one names; triggers of base images may add more when they come up. */
function neededStages(plan: StagePlan, stage: Stage, contexts: ReadonlyMap<string, string>): Stage[] {
  const names = stage.commands.flatMap((command) => {
    if (command.kind === 'COPY') return command.from ?? []
    if (command.kind !== 'RUN') return []
    return command.mounts.flatMap((mount) => /(?:^|,)from=([^,$]+)/.exec(mount)?.[1] ?? [])
  })
  return names.filter((name) => !contexts.has(name)).flatMap((name) => findStage(plan, name, stage) ?? [])
}

function showBase(
  { progress }: BuildRun,
  names: StepNames,
  title: string,
  isCached: boolean,
  milliseconds: number,
): void {
  const { id, name } = names.next(title)
  progress({ kind: 'step', id, name, state: isCached ? 'cached' : 'start' })
  if (!isCached) progress({ kind: 'step', id, name, state: 'done', seconds: milliseconds / 1000 })
}

function warnPlatform({ progress }: BuildRun, found: Platform, wanted: Platform, name: string): void {
  if (found.os === wanted.os && found.architecture === wanted.architecture) return
  const text = `the base image ${name} is for ${formatPlatform(found)}, not for ${formatPlatform(wanted)}`
  progress({ kind: 'warning', text })
}

function warnUnused(plan: StagePlan, { buildArguments = new Map(), progress }: BuildOptions): void {
  const unused = unusedArguments(plan, buildArguments)
  if (unused.length === 0) return
  progress?.({ kind: 'warning', text: `one or more build-args were not consumed: ${printable(unused.join(', '))}` })
}

function cachePolicy({ noCache = false, noCacheStages = [] }: BuildOptions): BuildRun['mayUseCache'] {
  const names = new Set(noCacheStages.map((name) => name.toLowerCase()))
  return (stage) => !noCache && !(stage.name !== undefined && names.has(stage.name))
}

function sourceDateEpoch(
  { buildArguments, sourceDateEpoch: wanted }: BuildOptions,
  globals: ReadonlyMap<string, string>,
) {
  const text = buildArguments?.get('SOURCE_DATE_EPOCH') ?? globals.get('SOURCE_DATE_EPOCH')
  if (text === undefined || text === '') return wanted
  if (/^\d{1,12}$/.test(text)) return Number(text)
  throw new BaleError('INVALID_ARGUMENT', `SOURCE_DATE_EPOCH is not a number of seconds: ${printable(text)}`)
}

/** The documents of the image that a stage became. */
async function describeImage(run: BuildRun, state: StageState, options: BuildOptions): Promise<ImageDocuments> {
  const { layers } = run.session.machine.store
  const { base, platform, config, author } = state
  const history = fillCreated(state.history, createdAt(run))
  const labels = options.labels && { Labels: { ...config.Labels, ...options.labels } }
  const parts: Omit<ImageConfig, 'rootfs'> = {
    ...platform,
    'os.version': base?.['os.version'],
    'os.features': base?.['os.features'],
    created: history.at(-1)?.created ?? createdAt(run),
    author,
    config: { ...config, ...labels },
    history,
  }
  const described = []
  for (const diffId of state.diffIds) {
    const layer = await layers.get(diffId)
    if (!layer)
      throw new BaleError('STORE_DAMAGED', `layer ${diffId} is missing from the store`, { hint: 'bale system check' })
    described.push(plainLayer(diffId, layer.tarSize))
  }
  return makeImage({ config: parts, layers: described })
}
