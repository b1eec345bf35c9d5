import { isBaleError, type OperationOptions } from '#base'
import type { BuildMachine, DescribedBase, FoundBase } from '#build'
import type { RunStep, StepRunner } from '#container'
import { formatPlatform, type Platform } from '#spec'
import type { Store } from '#store'
import type { Fetcher } from '#transport'
import type { EngineContext } from './context/context.ts'
import { layoutImages } from './layout-images.ts'
import { buildSteps } from './opened-containers.ts'
import type { Admission } from './trust/admission.ts'

/**
 * This machine as builds see it. Containers and the client for URLs are opened by the first step that needs them, and closed
 * with it, as are images that came in for this build only. `admission` judges base images; undefined without a policy.
 */
export async function openBuildMachine(
  context: EngineContext,
  admission: Admission | undefined,
): Promise<BuildMachine & { store: Store } & AsyncDisposable> {
  const store = await context.store()
  const runner = stepRunner(context)
  const web = lazyWeb(context)
  const layouts = layoutImages(store)
  const find = (name: string, wanted: FindOptions) =>
    isLayout(name)
      ? findInLayout(layouts, admission, name, wanted)
      : findBase({ context, store, admission }, name, wanted)
  return {
    store,
    rootfs: await context.rootfs(),
    runStep: runner.run,
    clock: context.clock,
    platform: context.platform,
    findImage: find,
    describeImage: (name, wanted) => (isLayout(name) ? find(name, wanted) : describeBase(context, store, name, wanted)),
    fetchUrl: (address, wanted) => web.get(address, wanted),
    async [Symbol.asyncDispose]() {
      await using _runner = runner
      await using _web = web
      await using _layouts = layouts
    },
  }
}

function isLayout(name: string): boolean {
  return name.startsWith('oci-layout://')
}

/** Containers are needed only by steps that run: a build that finds all in its cache does not load their code. */
function stepRunner(context: EngineContext): { run: RunStep } & AsyncDisposable {
  let opened: Promise<StepRunner> | undefined
  const open = async () => {
    return (await buildSteps(context)).runner()
  }
  return {
    async run(step) {
      opened ??= open()
      return (await opened)(step)
    },
    async [Symbol.asyncDispose]() {
      await (await opened)?.[Symbol.asyncDispose]()
    },
  }
}

/** Most builds fetch nothing by URL. */
function lazyWeb(context: EngineContext): Fetcher {
  let opened: Promise<Fetcher> | undefined
  const open = async () => (await import('./registries/open-registry.ts')).openWeb(context)
  return {
    async get(address, options) {
      opened ??= open()
      return (await opened).get(address, options)
    },
    async [Symbol.asyncDispose]() {
      await (await opened)?.[Symbol.asyncDispose]()
    },
  }
}

/** An OCI layout has no signatures: the policy's default decides, unless the store knows the image from a registry. */
async function findInLayout(
  layouts: ReturnType<typeof layoutImages>,
  admission: Admission | undefined,
  name: string,
  wanted: FindOptions,
): Promise<FoundBase> {
  const found = await layouts.find(name, wanted)
  await admission?.used(found.image, wanted)
  return found
}

type FindOptions = OperationOptions & { platform: Platform; pull: boolean }

interface Place {
  context: EngineContext
  store: Store
  admission: Admission | undefined
}

async function findBase({ context, store, admission }: Place, name: string, wanted: FindOptions): Promise<FoundBase> {
  const here = await findHere(store, name, wanted)
  const { platform, signal, progress } = wanted
  if (here) {
    await admission?.used(here, { signal, progress })
    return { image: here, wasLocal: true }
  }
  const { pullImage } = await import('./pull.ts')
  const pulled = await pullImage(context, name, { platform: formatPlatform(platform), signal, progress }, admission)
  return { image: await store.images.resolve(name, { platform }), wasLocal: pulled.every(({ unchanged }) => unchanged) }
}

/** As `findBase`, but for an image that the store does not have only manifest and config are fetched. */
async function describeBase(
  context: EngineContext,
  store: Store,
  name: string,
  wanted: FindOptions,
): Promise<DescribedBase> {
  const here = await findHere(store, name, wanted)
  if (here) return { image: here, wasLocal: true }
  const { describeRemote } = await import('./describe-remote.ts')
  return { image: await describeRemote(context, name, wanted), wasLocal: false }
}

async function findHere(store: Store, name: string, { platform, pull }: FindOptions) {
  return (await findById(store, name)) ?? (pull ? undefined : await findLocal(store, name, platform))
}

/** By ID or digest of a local image. A name that looks like an ID prefix is tried as a name first. */
async function findById(store: Store, text: string) {
  if (!/^(?:sha256:)?[0-9a-f]{1,64}$/.test(text)) return undefined
  const isId = text.startsWith('sha256:') || text.length === 64
  try {
    const found = await store.images.find(text)
    return found.byId ? found.image : undefined
  } catch (error) {
    if (!isId && isBaleError(error, 'IMAGE_NOT_FOUND')) return undefined
    throw error
  }
}

/** An image for another platform is used when it is the only one; the build warns. */
async function findLocal(store: Store, name: string, platform: Platform) {
  try {
    return await store.images.resolve(name, { platform })
  } catch (error) {
    if (isBaleError(error, 'IMAGE_NOT_FOUND')) return undefined
    if (!isBaleError(error, 'NO_MATCHING_PLATFORM')) throw error
    return store.images.resolve(name)
  }
}
