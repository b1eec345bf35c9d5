import { BaleError, printable } from '#base'
import type { Platform } from '#spec'
import type { BuildOptions } from './build-options.ts'
import type { BuildRun, OpenSource, StepSource } from './build-run.ts'
import type { BuildSession } from './build-session.ts'
import { mountTar, openNamedDirectory } from './context/open-context.ts'
import { openSourceTree, type SourceTree } from './context/source-tree.ts'
import type { StageState } from './stage-state.ts'
import type { Stage, StagePlan } from './stages.ts'

export interface SourcesOptions {
  session: BuildSession
  plan: StagePlan
  contexts: ReadonlyMap<string, string>
  context: SourceTree
  platform: Platform
  signal: AbortSignal
  stage(stage: Stage): Promise<StageState>
  image(name: string, platform: Platform): Promise<StageState['diffIds']>
}

const IMAGE_SCHEME = 'docker-image://'
const LAYOUT_SCHEME = 'oci-layout://'

/** The image that a context stands for, as the machine finds it; undefined for files. */
export function imageOfContext(place: string): string | undefined {
  if (place.startsWith(IMAGE_SCHEME)) return place.slice(IMAGE_SCHEME.length)
  return place.startsWith(LAYOUT_SCHEME) ? place : undefined
}

/** What `--from=NAME` and `from=NAME` mean: a named context, an earlier stage (by name or number), else an image. */
export function createSources(options: SourcesOptions): BuildRun['source'] {
  const { session, plan, contexts, context, platform, signal } = options
  const stack = new Map<string, Promise<StepSource>>()

  const ofLayers = (label: string, layers: StageState['diffIds']): StepSource => ({
    label,
    layers,
    async open() {
      const mounted = await session.mount(layers, { signal })
      return openMounted(mounted, label)
    },
  })
  const named = async (name: string, place: string): Promise<StepSource> => {
    const label = `the build context ${name}`
    const image = imageOfContext(place)
    if (image !== undefined) return ofLayers(label, await options.image(image, platform))
    if (/^https?:\/\//.test(place)) {
      const { body } = await session.machine.fetchUrl(place, { signal })
      const mounted = session.own(await mountTar(session, body, { signal }))
      return { label, layers: undefined, open: async () => openMounted(mounted, label, false) }
    }
    return {
      label,
      layers: undefined,
      async open() {
        const tree = await openNamedDirectory(name, place)
        return { tree, [Symbol.asyncDispose]: async () => tree[Symbol.dispose]() }
      },
    }
  }
  return async (name, from) => {
    if (name === undefined) {
      const open = async (): Promise<OpenSource> => ({ tree: context, [Symbol.asyncDispose]: async () => undefined })
      return { label: context.label, layers: undefined, open }
    }
    const place = contexts.get(name)
    if (place !== undefined) {
      const opening = stack.get(name) ?? named(name, place)
      stack.set(name, opening)
      return opening
    }
    const stage = stageOf(plan, name, from)
    if (stage) {
      const state = await options.stage(stage)
      return ofLayers(`stage ${stage.name ?? stage.index}`, state.diffIds)
    }
    return ofLayers(`the image ${printable(name)}`, await options.image(name, platform))
  }
}

function openMounted(mounted: { path: string } & AsyncDisposable, label: string, owned = true): OpenSource {
  const tree = openSourceTree(mounted.path, { label })
  return {
    tree,
    async [Symbol.asyncDispose]() {
      tree[Symbol.dispose]()
      if (owned) await mounted[Symbol.asyncDispose]()
    },
  }
}

/** The earlier stage that a name or number means, if any. */
export function findStage(plan: StagePlan, name: string, from: Stage): Stage | undefined {
  if (!/^\d+$/.test(name)) return plan.stages.findLast((stage) => isNamed(stage, name, from))
  const stage = plan.stages[Number(name)]
  return stage && stage.index < from.index ? stage : undefined
}

/** As `findStage`; a number that is none, and a stage that stands below, are errors. */
function stageOf(plan: StagePlan, name: string, from: Stage): Stage | undefined {
  const found = findStage(plan, name, from)
  if (found) return found
  if (/^\d+$/.test(name)) throw new BaleError('DOCKERFILE_INVALID', `there is no stage ${name} above this one`)
  const below = plan.stages.find((stage) => stage.name === name.toLowerCase())
  if (!below) return undefined
  throw new BaleError('DOCKERFILE_INVALID', `the stage ${below.name} stands below this one, or is this one`, {
    hint: 'only stages above can be used; move it up',
  })
}

function isNamed(stage: Stage, name: string, before: Stage): boolean {
  return stage.index < before.index && stage.name === name.toLowerCase()
}

/** Kinds of contexts that are known, but not there, are refused by name. */
export function checkBuildContexts(contexts: NonNullable<BuildOptions['buildContexts']>): void {
  for (const [name, place] of contexts) {
    const scheme = /^(target|git|ssh):/.exec(place)?.[1] ?? (/\.git(?:[?#]|$)/.test(place) ? 'git' : undefined)
    if (!scheme) continue
    throw new BaleError('UNSUPPORTED', `--build-context ${printable(name)}: ${scheme} is not supported yet`, {
      hint: 'a directory, docker-image://NAME, oci-layout://DIRECTORY:TAG, or the URL of a tar',
    })
  }
}
