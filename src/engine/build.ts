import { BaleError, type OperationOptions, printable } from '#base'
import { type BuildOptions, type BuiltImage, build, type CheckReport, checkDockerfile, writeDirectory } from '#build'
import { openOutput, pourInto, readBytes } from '#host/file'
import { copyImage } from '#image'
import { type Descriptor, type Digest, fullName, type ImageName, imageName, parsePlatform, parseReference } from '#spec'
import type { NewImage, Store } from '#store'
import { openBuildMachine } from './build-machine.ts'
import { requireRoot } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import { checkImagesOutput, type ImagesOutput, type OutputFile, openImagesTarget } from './open-images-target.ts'
import { removeUnnamed } from './remove-unnamed.ts'

/** A destination of the result. Without one it becomes an image of the store. */
export type BuildOutput =
  | { type: 'image'; name?: string }
  /** The files of the result in a directory, or as a tar. */
  | { type: 'local'; directory: string }
  | { type: 'tar'; to: OutputFile }
  /** An archive that docker, podman and skopeo load, or an OCI image layout in a directory. */
  | { type: 'oci' | 'docker'; to: ImagesOutput; name?: string }

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

/** The options of a check: those of a build, without results. */
export type CheckBuildOptions = Omit<BuildImageOptions, 'tags' | 'outputs' | 'secrets'>

/** Without a source it is the variable named like the secret when there is one, else the file of that name. */
export type BuildSecretSource = { id: string; file?: string; variable?: string }

/** Builds an image from a Dockerfile. `id` is undefined when the outputs leave no image in the store. */
export async function buildImage(
  context: EngineContext,
  options: BuildImageOptions,
): Promise<{ id: Digest; manifest: Descriptor; names: string[] }> {
  requireRoot('builds')
  // All options are checked before anything is read.
  const tags = [...(options.tags ?? []), ...namesOf(options.outputs)].map((tag) => imageName(parseReference(tag)))
  const { outputs = [{ type: 'image' }] } = options
  for (const output of outputs) if ('to' in output) checkImagesOutput(output.to)
  await using machine = await openBuildMachine(context)
  await using built = await build(machine, await resolved(context, options))
  const { store } = machine
  const id = built.image.configDescriptor.digest
  for (const output of outputs) {
    if (output.type === 'image') await keep(store, built, tags)
    else await write(store, built, output, tags, options)
  }
  return {
    id,
    manifest: built.image.manifestDescriptor,
    names: outputs.some(({ type }) => type === 'image') ? tags.map((tag) => fullName(tag)) : [],
  }
}

/**
 * The checks of BuildKit on a Dockerfile, as `build` would read it: all stages, or those that `target` needs. Nothing is built, and of
 * base images only the configuration is fetched.
 */
export async function checkBuild(context: EngineContext, options: CheckBuildOptions): Promise<CheckReport> {
  requireRoot('builds')
  await using machine = await openBuildMachine(context)
  return checkDockerfile(machine, await resolved(context, options))
}

/** The options for the build room: texts parsed, values taken from the environment. */
async function resolved(context: EngineContext, options: BuildImageOptions): Promise<BuildOptions> {
  const { platform, buildArguments, secrets, outputs: _, tags: __, ...rest } = options
  return {
    ...rest,
    platform: platform === undefined ? undefined : parsePlatform(platform),
    buildArguments: withEnvironment(context, buildArguments),
    secrets: await Promise.all((secrets ?? []).map((secret) => secretOf(context, secret))),
    sourceDateEpoch: context.config.sourceDateEpoch,
  }
}

function namesOf(outputs: readonly BuildOutput[] = []): string[] {
  return outputs.flatMap((output) => ('name' in output && output.name ? output.name.split(',') : []))
}

async function keep(store: Store, built: BuiltImage, tags: readonly ImageName[]) {
  await using intake = store.operation({ purpose: 'build' })
  const stored = await intake.putImage(newImage(built))
  await store.images.announce('create', stored.id)
  for (const tag of tags) await store.images.setName(tag, stored.descriptor, { tagged: true })
  return stored
}

async function write(
  store: Store,
  built: BuiltImage,
  output: Exclude<BuildOutput, { type: 'image' }>,
  tags: readonly ImageName[],
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
  await writeImage(store, built, output.to, tags, options)
}

/** Writes a copy of the image out of the store; an image that the store did not have before does not stay. */
async function writeImage(
  store: Store,
  built: BuiltImage,
  to: ImagesOutput,
  tags: readonly ImageName[],
  { signal, progress }: OperationOptions,
): Promise<void> {
  const { digest: id } = built.image.configDescriptor
  const before = await store.images.get(id)
  await using stack = new AsyncDisposableStack()
  if (!before) stack.defer(() => removeUnnamed(store, id))
  // Without a name only the operation keeps it from being pruned while it is copied.
  await stack.use(store.operation({ purpose: 'build' })).putImage(newImage(built))
  await using target = await openImagesTarget(to)
  const name = built.image.manifestDescriptor.digest
  // As BuildKit does it: readers of a layout ask for a tag.
  const unnamed = 'directory' in to ? 'latest' : undefined
  for (const targetName of tags.length > 0 ? tags.map((tag) => fullName(tag)) : [unnamed]) {
    await copyImage(store, target, { signal, progress, name, targetName, platform: built.platform, act: 'save' })
  }
  await target.finish()
}

const newImage = ({ image }: BuiltImage): NewImage => ({ config: image.configBytes, manifest: image.manifestBytes })

function withEnvironment(
  { config }: EngineContext,
  given: BuildImageOptions['buildArguments'] = new Map(),
): ReadonlyMap<string, string> {
  const values = [...given].map(([name, value]) => [name, value ?? config.environment[name]] as const)
  return new Map(values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])))
}

/** Checked now, so that a wrong path is not discovered after half an hour; read when a step needs it. */
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
