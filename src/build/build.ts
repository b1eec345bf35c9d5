import { BaleError, createLimiter, isBaleError, printable, silent } from '#base'
import type { PackedEntry } from '#format/tar'
import type { ImageDocuments } from '#image'
import { flatten } from '#rootfs'
import type { Platform } from '#spec'
import type { BuildOptions } from './build-options.ts'
import { createStepCache } from './cache/index.ts'
import { openContext, type SourceTree } from './context/index.ts'
import { describeImage } from './describe-image.ts'
import { type Dockerfile, isKnownSyntax, parseDockerfile } from './dockerfile/index.ts'
import {
  checkBuildContexts,
  evaluateGlobals,
  type GrowingGraph,
  growGraph,
  type PlannedStage,
  type PlanScope,
  PROXY_ARGUMENTS,
  planStages,
  platformArguments,
  type StepNode,
  solve,
  targetStage,
  unusedArguments,
} from './graph/index.ts'
import { createImageFinder, type ImageFinder } from './image-finder.ts'
import { type BuildMachine, type BuildSession, openBuildSession } from './session/index.ts'
import { type BuildSecret, createRunners, layeredFiles } from './steps/index.ts'

/** A built image: its documents, and a hold on its layers until it is disposed. Put it into the store to keep it. */
export interface BuiltImage extends AsyncDisposable {
  readonly image: ImageDocuments
  readonly platform: Platform
  /** The files of the image as one tree. */
  files(): AsyncIterable<PackedEntry>
}

/**
 * Builds an image from a Dockerfile: text → graph → solve. Only the stages that the target needs, independent ones at the
 * same time, every step from the cache when its inputs are those of before. Throws DOCKERFILE_INVALID, BUILD_FAILED,
 * PATH_NOT_FOUND … with file and line. On failure or abort nothing stays but what the cache holds.
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
    const { image, platform } = await buildTarget(session, context.tree, dockerfile, options)
    const diffIds = image.config.rootfs.diff_ids
    return {
      image,
      platform,
      async *files() {
        await using mounted = await session.mount(diffIds, { signal: options.signal })
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

async function buildTarget(
  session: BuildSession,
  context: SourceTree,
  dockerfile: Dockerfile,
  options: BuildOptions,
): Promise<{ image: ImageDocuments; platform: Platform }> {
  const { machine } = session
  const plan = planStages(dockerfile)
  const target = targetStage(plan, options.target)
  const scope = planScope(plan, machine.platform, options)
  const epoch = sourceDateEpoch(options, scope.globals)
  const { progress = silent } = options
  const created = () => new Date(epoch === undefined ? machine.clock.now() : epoch * 1000).toISOString()

  using stop = stopWith(options.signal)
  const { signal } = stop.controller
  const images = createImageFinder(machine, { pull: options.pull ?? false, signal, progress })
  const graph = planWith(session, scope, images, options)
  const shared = {
    ...{ session, epoch, signal, progress },
    hosts: options.hosts ?? [],
    secrets: (options.secrets ?? []).map(readOnce),
    shmSize: options.shmSize,
    proxies: [...scope.given].filter(([name]) => PROXY_ARGUMENTS.has(name)).map(([name, value]) => `${name}=${value}`),
  }
  const { files, steps } = await solve(graph, String(target.index), {
    cache: createStepCache({ store: machine.store, lease: session.lease, clock: machine.clock, created }),
    runners: createRunners(shared, { context, findImage: images.find }),
    filesOf: (layers, label) => layeredFiles(session, signal, layers, label),
    mayUseCache: cachePolicy(options),
    limited: createLimiter(options.jobs ?? 2),
    ...{ clock: machine.clock, progress, stop: stop.controller },
  })
  warnUnused(scope, options)
  const { state } = await graph.stage(target)
  const parts = { state, steps, diffIds: files.layers!, labels: options.labels, created: created() }
  return { image: await describeImage(machine.store.layers, parts), platform: state.platform }
}

function planScope(plan: PlanScope['plan'], machine: Platform, options: BuildOptions): PlanScope {
  const given = options.buildArguments ?? new Map<string, string>()
  const platform = options.platform ?? machine
  return {
    ...{ plan, given, platform },
    globals: evaluateGlobals(plan, given, platformArguments(platform, machine)),
    network: options.network ?? 'bridge',
    allowed: new Set(options.allow),
    contexts: options.buildContexts ?? new Map(),
  }
}

/** The graph with base images looked up by the machine; each shows as a step once it is there. */
function planWith(session: BuildSession, scope: PlanScope, images: ImageFinder, options: BuildOptions): GrowingGraph {
  const { clock } = session.machine
  const bases = new Map<number, { wasLocal: boolean; seconds: number }>()
  return growGraph(scope, {
    async findImage(base, stage) {
      const started = clock.now()
      const found = await images.base(base)
      for (const diffId of found.config.rootfs.diff_ids) await session.lease.add('layer', diffId)
      bases.set(stage.index, { wasLocal: found.wasLocal, seconds: (clock.now() - started) / 1000 })
      return found
    },
    onPlanned({ stage, base }: PlannedStage) {
      const found = bases.get(stage.index)
      if (!base || !found) return
      const { progress = silent } = options
      progress({ kind: 'step', ...base, state: found.wasLocal ? 'cached' : 'start' })
      if (!found.wasLocal) progress({ kind: 'step', ...base, state: 'done', seconds: found.seconds })
    },
  })
}

/** Stopped by the first failure, or by the one who asked for the build. */
function stopWith(signal: AbortSignal | undefined): { controller: AbortController } & Disposable {
  const controller = new AbortController()
  const abort = () => controller.abort(aborted(signal!))
  if (signal?.aborted) abort()
  else signal?.addEventListener('abort', abort, { once: true })
  return { controller, [Symbol.dispose]: () => signal?.removeEventListener('abort', abort) }
}

function aborted({ reason }: AbortSignal): unknown {
  return isBaleError(reason) ? reason : new BaleError('ABORTED', 'the build was cancelled', { cause: reason })
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

function warnUnused({ plan }: PlanScope, { buildArguments = new Map(), progress }: BuildOptions): void {
  const unused = unusedArguments(plan, buildArguments)
  if (unused.length === 0) return
  progress?.({ kind: 'warning', text: `one or more build-args were not consumed: ${printable(unused.join(', '))}` })
}

function cachePolicy({ noCache = false, noCacheStages = [] }: BuildOptions): (node: StepNode) => boolean {
  const names = new Set(noCacheStages.map((name) => name.toLowerCase()))
  return ({ stage }) => !noCache && !(stage !== undefined && names.has(stage))
}

function sourceDateEpoch(
  { buildArguments, sourceDateEpoch: wanted }: BuildOptions,
  globals: ReadonlyMap<string, string>,
): number | undefined {
  const text = buildArguments?.get('SOURCE_DATE_EPOCH') ?? globals.get('SOURCE_DATE_EPOCH')
  if (text === undefined || text === '') return wanted
  if (/^\d{1,12}$/.test(text)) return Number(text)
  throw new BaleError('INVALID_ARGUMENT', `SOURCE_DATE_EPOCH is not a number of seconds: ${printable(text)}`)
}
