import type { Writable } from 'node:stream'
import { BaleError, isBaleError, type OperationOptions, printable } from '#base'
import { type BuildMachine, type BuildOptions, type BuiltImage, build, type FoundBase, writeDirectory } from '#build'
import type { RunStep, StepRunner } from '#container'
import { openOutput, outputPlace, pourInto, readBytes } from '#host/file'
import { copyImage } from '#image'
import {
  type Descriptor,
  type Digest,
  formatPlatform,
  fullName,
  type Platform,
  parsePlatform,
  parseReference,
  withDefaultTag,
} from '#spec'
import type { Store } from '#store'
import type { Fetcher } from '#transport'
import { buildSteps, requireRoot } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import { layoutImages } from './layout-images.ts'

/** Where the result goes. Without any it becomes an image of the store. */
export type BuildOutput =
  | { type: 'image'; name?: string }
  /** The files of the result in a directory, or as a tar. */
  | { type: 'local'; directory: string }
  | { type: 'tar'; to: OutputFile }
  /** An archive that docker, podman and skopeo load. */
  | { type: 'oci' | 'docker'; to: OutputFile; name?: string }

/** Where bytes go: a file, which appears when it is complete, or a stream. */
export type OutputFile = { file: string } | { stream: Writable }

/** What to build, from what, and where the result goes. Paths are absolute or relative to the working directory. */
export interface BuildImageOptions
  extends Omit<BuildOptions, 'platform' | 'buildArguments' | 'secrets' | 'sourceDateEpoch'> {
  /** References for the image. */
  tags?: readonly string[]
  outputs?: readonly BuildOutput[]
  /** `linux/arm64` */
  platform?: string
  /** A name without a value takes it from the environment, and is left out when there is none. */
  buildArguments?: ReadonlyMap<string, string | undefined>
  secrets?: readonly BuildSecretSource[]
}

/** Without a source it is the variable named like the secret when there is one, else the file of that name. */
export type BuildSecretSource = { id: string; file?: string; variable?: string }

/** Builds an image from a Dockerfile. `id` is undefined when the outputs leave no image in the store. */
export async function buildImage(
  context: EngineContext,
  options: BuildImageOptions,
): Promise<{ id: Digest; manifest: Descriptor; names: string[] }> {
  requireRoot('builds')
  // All that can be wrong in the words is found before anything is read.
  const tags = [...(options.tags ?? []), ...namesOf(options.outputs)].map((tag) =>
    fullName(withDefaultTag(parseReference(tag))),
  )
  const { platform, buildArguments, secrets, outputs = [{ type: 'image' }], ...rest } = options
  for (const output of outputs) if ('to' in output && 'file' in output.to) outputPlace(output.to.file)
  const store = await context.store()
  await using runner = stepRunner(context)
  await using web = lazyWeb(context)
  await using layouts = layoutImages(store)
  const machine: BuildMachine = {
    store,
    rootfs: await context.rootfs(),
    runStep: runner.run,
    clock: context.clock,
    platform: context.platform,
    findImage: (name, wanted) =>
      name.startsWith('oci-layout://') ? layouts.find(name, wanted) : findBase(context, store, name, wanted),
    fetchUrl: (address, wanted) => web.get(address, wanted),
  }
  await using built = await build(machine, {
    ...rest,
    platform: platform === undefined ? undefined : parsePlatform(platform),
    buildArguments: withEnvironment(context, buildArguments),
    secrets: await Promise.all((secrets ?? []).map((secret) => secretOf(context, secret))),
    sourceDateEpoch: context.config.sourceDateEpoch,
  })
  const id = built.image.configDescriptor.digest
  for (const output of outputs) {
    if (output.type === 'image') await keep(store, built, tags)
    else await write(store, built, output, tags, options)
  }
  return {
    id,
    manifest: built.image.manifestDescriptor,
    names: outputs.some(({ type }) => type === 'image') ? tags : [],
  }
}

/** Containers are for steps that run: a build that finds all in its cache does not even load their code. */
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
  const open = async () => (await import('./open-registry.ts')).openWeb(context)
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

function namesOf(outputs: readonly BuildOutput[] = []): string[] {
  return outputs.flatMap((output) => ('name' in output && output.name ? output.name.split(',') : []))
}

async function keep(store: Store, built: BuiltImage, tags: readonly string[]) {
  const { configBytes, manifestBytes } = built.image
  const stored = await store.images.putImage({ config: configBytes, manifest: manifestBytes })
  for (const tag of tags) await store.images.setName(tag, stored.descriptor)
  return stored
}

async function write(
  store: Store,
  built: BuiltImage,
  output: Exclude<BuildOutput, { type: 'image' }>,
  tags: readonly string[],
  options: OperationOptions,
): Promise<void> {
  if (output.type === 'local') {
    const skipped = await writeDirectory(built.files(), output.directory)
    if (skipped > 0)
      options.progress?.({ kind: 'warning', text: `${skipped} device files were left out of ${output.directory}` })
    return
  }
  if (output.type === 'tar') {
    const { packTar } = await import('#format/tar')
    await using file = await openOutput('file' in output.to ? output.to.file : output.to.stream)
    await pourInto(file, packTar(built.files()), options)
    return
  }
  await writeArchive(store, built, output.to, tags, options)
}

/** The archive is a copy of the image out of the store; an image that was not there before does not stay. */
async function writeArchive(
  store: Store,
  built: BuiltImage,
  to: OutputFile,
  tags: readonly string[],
  { signal, progress }: OperationOptions,
): Promise<void> {
  const { digest: id } = built.image.configDescriptor
  const before = await store.images.get(id)
  await keep(store, built, [])
  const { createArchiveTarget } = await import('#transport')
  await using archive = await createArchiveTarget('file' in to ? to.file : to.stream)
  const name = built.image.manifestDescriptor.digest
  for (const targetName of tags.length > 0 ? tags : [undefined]) {
    await copyImage(store, archive, { signal, progress, name, targetName, platform: built.platform, act: 'save' })
  }
  await archive.finish()
  if (!before) await store.images.remove(id)
}

async function findBase(
  context: EngineContext,
  store: Store,
  name: string,
  { platform, pull, signal, progress }: OperationOptions & { platform: Platform; pull: boolean },
): Promise<FoundBase> {
  const byId = await findById(store, name)
  if (byId) return { image: byId, wasLocal: true }
  const local = pull ? undefined : await findLocal(store, name, platform)
  if (local) return { image: local, wasLocal: true }
  const { pullImage } = await import('./pull.ts')
  const pulled = await pullImage(context, name, { platform: formatPlatform(platform), signal, progress })
  return { image: await store.images.resolve(name, { platform }), wasLocal: pulled.every(({ unchanged }) => unchanged) }
}

/** By what only an image here can have. A name that looks like the beginning of an ID is a name first. */
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

/** An image for another platform is taken all the same when it is the only one; the build warns. */
async function findLocal(store: Store, name: string, platform: Platform) {
  try {
    return await store.images.resolve(name, { platform })
  } catch (error) {
    if (isBaleError(error, 'IMAGE_NOT_FOUND')) return undefined
    if (!isBaleError(error, 'NO_MATCHING_PLATFORM')) throw error
    return store.images.resolve(name)
  }
}

function withEnvironment(
  { config }: EngineContext,
  given: BuildImageOptions['buildArguments'] = new Map(),
): ReadonlyMap<string, string> {
  const values = [...given].map(([name, value]) => [name, value ?? config.environment[name]] as const)
  return new Map(values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])))
}

/** Checked now, so that a wrong path is not found out after half an hour; read when a step asks for it. */
async function secretOf({ config }: EngineContext, { id, file, variable }: BuildSecretSource) {
  const wanted = variable ?? (file === undefined && config.environment[id] !== undefined ? id : undefined)
  if (wanted !== undefined) {
    const value = config.environment[wanted]
    if (value !== undefined) {
      const bytes = Buffer.from(value)
      if (bytes.length > SECRET_LIMIT) throw tooBig(id)
      return { id, read: async () => bytes }
    }
    throw new BaleError('INVALID_ARGUMENT', `secret ${printable(id)}: the variable ${printable(wanted)} is not set`)
  }
  const { access, constants, stat } = await import('node:fs/promises')
  const path = file ?? id
  const unreadable = (why: string, cause?: unknown) =>
    new BaleError('PATH_NOT_FOUND', `secret ${printable(id)}: cannot read ${printable(path)}${why}`, { cause })
  await access(path, constants.R_OK).catch((cause: unknown) => {
    throw unreadable('', cause)
  })
  const found = await stat(path)
  if (found.isDirectory()) throw unreadable(': it is a directory')
  if (found.size > SECRET_LIMIT) throw tooBig(id)
  return { id, read: () => readBytes(path, { limit: SECRET_LIMIT }) }
}

/** As BuildKit's. */
const SECRET_LIMIT = 500 * 1024

function tooBig(id: string): BaleError {
  return new BaleError('LIMIT_EXCEEDED', `secret ${printable(id)} is too big: the largest is ${SECRET_LIMIT} bytes`)
}
