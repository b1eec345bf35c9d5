import { BaleError, printable } from '#base'
import { type BuildOptions, build, type CheckReport, checkDockerfile } from '#build'
import { readBytes } from '#host/file'
import { checkedManifest, imagesOf } from '#image'
import { type Descriptor, type Digest, fullName, imageName, parsePlatform, parseReference } from '#spec'
import type { AttestationOptions, AttestedBuild } from './attest-build.ts'
import { openBuildMachine } from './build-machine.ts'
import { type BuildOutput, isFilesOutput, keepImage, resultOf, writeFiles, writeImage } from './build-outputs.ts'
import { requireRoot } from './container-machinery.ts'
import type { EngineContext } from './context/context.ts'
import { type HeldImage, holdImage } from './held-image.ts'
import { checkImagesOutput } from './open-images-target.ts'
import { openAdmission } from './trust/open-admission.ts'

export type { BuildOutput } from './build-outputs.ts'

/** What to build, from what, and where the result goes. Paths are absolute or relative to the working directory. */
export interface BuildImageOptions
  extends Omit<BuildOptions, 'platform' | 'buildArguments' | 'secrets' | 'sourceDateEpoch'> {
  /** References for the image. */
  tags?: readonly string[]
  outputs?: readonly BuildOutput[]
  /** What is said of the image. It is then kept and written as an index: the image, and a manifest with its attestations. */
  attestations?: AttestationOptions
  /** `linux/arm64` */
  platform?: string
  /** A name without a value takes it from the environment, and is left out when there is none. */
  buildArguments?: ReadonlyMap<string, string | undefined>
  secrets?: readonly BuildSecretSource[]
}

/** The options of a check: those of a build, without results. */
export type CheckBuildOptions = Omit<BuildImageOptions, 'tags' | 'outputs' | 'attestations' | 'secrets'>

/** Without a source it is the variable named like the secret when there is one, else the file of that name. */
export type BuildSecretSource = { id: string; file?: string; variable?: string }

/** Builds an image from a Dockerfile. `manifest` is that of the image, or the index of image and attestations. */
export async function buildImage(
  context: EngineContext,
  options: BuildImageOptions,
): Promise<{ id: Digest; manifest: Descriptor; names: string[] }> {
  requireRoot('builds')
  // All options are checked before anything is read.
  const tags = [...(options.tags ?? []), ...namesOf(options.outputs)].map((tag) => imageName(parseReference(tag)))
  const { outputs = [{ type: 'image' }], attestations } = options
  for (const output of outputs) if ('to' in output) checkImagesOutput(output.to)
  if (attestations) refuseDockerArchives(outputs)
  // A policy holds for the whole build as it is now; one that cannot be read ends it here.
  const admission = await openAdmission(context)
  await using machine = await openBuildMachine(context, admission)
  const { store } = machine
  const asked = await resolved(context, options)
  // Builds without attestations load nothing of them.
  const attester = attestations && (await import('./attest-build.ts')).startAttestations(context, machine, attestations)
  await using built = await build(attester?.machine ?? machine, asked)
  const asImage = outputs.some((output) => !isFilesOutput(output))
  await using held = asImage || attester ? await holdImage(store, built.image) : undefined
  const attested = held && (await attester?.attest(held, { built, asked, names: tags, asImage }, options))
  const result = held && { held, attested, tags }
  for (const output of outputs) {
    if (isFilesOutput(output)) await writeFiles(built, attested, output, options)
    else if (output.type === 'image') {
      await admission?.made(madeBy(result!))
      await keepImage(store, result!, options)
    } else await writeImage(store, result!, output.to, options)
  }
  return {
    id: built.image.configDescriptor.digest,
    manifest: result ? resultOf(result) : built.image.manifestDescriptor,
    names: outputs.some(({ type }) => type === 'image') ? tags.map((tag) => fullName(tag)) : [],
  }
}

/** docker's own form of an archive has no place for an index. */
function refuseDockerArchives(outputs: readonly BuildOutput[]): void {
  if (!outputs.some(({ type }) => type === 'docker')) return
  throw new BaleError('UNSUPPORTED', "an archive of docker's form cannot hold attestations", {
    hint: 'an OCI archive can: type=oci',
  })
}

/**
 * The checks of BuildKit on a Dockerfile, as `build` would read it: all stages, or those that `target` needs. Nothing is built, and of
 * base images only the configuration is fetched.
 */
export async function checkBuild(context: EngineContext, options: CheckBuildOptions): Promise<CheckReport> {
  requireRoot('builds')
  await using machine = await openBuildMachine(context, await openAdmission(context))
  return checkDockerfile(machine, await resolved(context, options))
}

/** The image as the store holds it, and as an index with attestations names it. */
function madeBy({ held, attested }: { held: HeldImage; attested: AttestedBuild | undefined }): Digest[] {
  const images = attested?.index ? checkedManifest(attested.index) : undefined
  return [
    held.stored.descriptor.digest,
    ...(images?.kind === 'index' ? imagesOf(images.index).map(({ digest }) => digest) : []),
  ]
}

/** The options for the build room: texts parsed, values taken from the environment. */
async function resolved(context: EngineContext, options: BuildImageOptions): Promise<BuildOptions> {
  const { platform, buildArguments, secrets, outputs: _, tags: __, attestations: ___, ...rest } = options
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
