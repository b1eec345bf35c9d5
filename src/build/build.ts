import { BaleError, createLimiter, isBaleError, printable, silent } from '#base'
import type { PackedEntry } from '#format/tar'
import type { ImageDocuments } from '#image'
import { flatten } from '#rootfs'
import { type Platform, parseSourceDateEpoch } from '#spec'
import type { BuildOptions } from './build-options.ts'
import { type BuildRecord, recordBuild } from './build-record.ts'
import { createStepCache } from './cache/index.ts'
import type { Finding } from './checks/index.ts'
import { type OpenContext, openContext } from './context/index.ts'
import { describeImage } from './describe-image.ts'
import { parseDockerfile } from './dockerfile/index.ts'
import {
  type PlannedStage,
  type PlanScope,
  PROXY_ARGUMENTS,
  type StepNode,
  solve,
  unusedArguments,
} from './graph/index.ts'
import { createImageFinder, type ImageFinder } from './image-finder.ts'
import { type BuildPlan, planAll, planBuild, refuseUnsupported, strictError } from './plan-build.ts'
import { type BuildMachine, type BuildSession, type FoundBase, openBuildSession } from './session/index.ts'
import { type BuildSecret, createRunners, layeredFiles } from './steps/index.ts'

/** A built image: its documents, and a hold on its layers until it is disposed. Put it into the store to keep it. */
export interface BuiltImage extends AsyncDisposable {
  readonly image: ImageDocuments
  readonly platform: Platform
  /** What was done for it. */
  readonly record: BuildRecord
  /** The files of the image as one tree. */
  files(): AsyncIterable<PackedEntry>
}

/**
 * Builds an image from a Dockerfile: text → graph → solve. Only the stages that the target needs, independent ones at the
 * same time, every step from the cache when its inputs are unchanged. Throws DOCKERFILE_INVALID, BUILD_FAILED,
 * PATH_NOT_FOUND … with file and line. On failure or abort nothing stays but what the cache holds.
 */
export async function build(machine: BuildMachine, options: BuildOptions): Promise<BuiltImage> {
  refuseUnsupported(options)
  const stack = new AsyncDisposableStack()
  try {
    const session = stack.use(await openBuildSession(machine))
    const context = stack.use(await openContext(session, options.context, options.dockerfile, options))
    const { image, platform, record } = await buildTarget(session, context, options)
    const diffIds = image.config.rootfs.diff_ids
    return {
      image,
      platform,
      record,
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

async function buildTarget(
  session: BuildSession,
  context: OpenContext,
  options: BuildOptions,
): Promise<{ image: ImageDocuments; platform: Platform; record: BuildRecord }> {
  const { machine } = session
  const { progress = silent, pull = false } = options
  using stop = stopWith(options.signal)
  const { signal } = stop.controller
  const images = createImageFinder(machine.findImage, { pull, signal, progress })
  const { scope, target, graph } = await checkedPlan(session, context, images, options)
  const epoch = sourceDateEpoch(options, scope.globals)
  const created = () => new Date(epoch === undefined ? machine.clock.now() : epoch * 1000).toISOString()
  const shared = {
    ...{ session, epoch, signal, progress },
    hosts: options.hosts ?? [],
    secrets: (options.secrets ?? []).map(readOnce),
    shmSize: options.shmSize,
    proxies: [...scope.given].filter(([name]) => PROXY_ARGUMENTS.has(name)).map(([name, value]) => `${name}=${value}`),
  }
  const result = String(target.index)
  const { files, steps, layers } = await solve(graph, result, {
    cache: createStepCache({ store: machine.store, intake: session.intake, clock: machine.clock, created }),
    runners: createRunners(shared, { context: context.tree, findImage: images.find }),
    filesOf: (of, label) => layeredFiles(session, signal, of, label),
    mayUseCache: cachePolicy(options),
    limited: createLimiter(options.jobs ?? 2),
    ...{ clock: machine.clock, progress, stop: stop.controller },
  })
  warnUnused(scope, options)
  const { state } = await graph.stage(target)
  const parts = { state, steps, diffIds: files.layers!, labels: options.labels, created: created() }
  return {
    image: await describeImage(machine.store.layers, parts),
    platform: state.platform,
    record: await recordBuild(graph, result, { layers, plan: scope.plan, written: context.dockerfile, epoch }),
  }
}

/**
 * The plan of the build. Base images are looked up by the machine, and show as a step once resolved; findings of the
 * checks are reported as they occur, unless they fail the build: then all checks run before anything is executed.
 */
async function checkedPlan(
  session: BuildSession,
  context: OpenContext,
  images: ImageFinder<FoundBase>,
  { progress = silent, ...options }: BuildOptions,
): Promise<BuildPlan> {
  const { clock, platform } = session.machine
  const bases = new Map<number, { wasLocal: boolean; seconds: number }>()
  const findings: Finding[] = []
  const plan = planBuild(parseDockerfile(context.dockerfile.text, context.dockerfile.name), options, {
    machine: platform,
    ignore: context.ignore,
    async findImage(base, stage) {
      const started = clock.now()
      const found = await images.base(base)
      for (const diffId of found.config.rootfs.diff_ids) await session.intake.pin('layer', diffId)
      bases.set(stage.index, { wasLocal: found.wasLocal, seconds: (clock.now() - started) / 1000 })
      return found
    },
    onPlanned({ stage, base }: PlannedStage) {
      const found = bases.get(stage.index)
      if (!base || !found) return
      progress({ kind: 'step', ...base, state: found.wasLocal ? 'cached' : 'start' })
      if (!found.wasLocal) progress({ kind: 'step', ...base, state: 'done', seconds: found.seconds })
    },
    found(finding) {
      findings.push(finding)
      progress({ kind: 'finding', ...finding })
    },
  })
  if (plan.isStrict) {
    await planAll(plan.graph, [String(plan.target.index)])
    const error = strictError(findings)
    if (error) throw error
  }
  return plan
}

/** Aborted by the first failure, or by the caller of the build. */
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
  return parseSourceDateEpoch(text) ?? wanted
}
