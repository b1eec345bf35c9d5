import type { OperationOptions } from '#base'
import { type BuiltImage, writeDirectory } from '#build'
import type { PackedEntry } from '#format/tar'
import { openOutput, pourInto } from '#host/file'
import { copyImage } from '#image'
import { type Descriptor, fullName, type ImageName } from '#spec'
import type { Store } from '#store'
import type { AttestedBuild } from './attest-build.ts'
import type { HeldImage } from './held-image.ts'
import { type ImagesOutput, type OutputFile, openImagesTarget } from './open-images-target.ts'

/** A destination of the result. Without one it becomes an image of the store. */
export type BuildOutput =
  | { type: 'image'; name?: string }
  /** The files of the result in a directory, or as a tar. */
  | { type: 'local'; directory: string }
  | { type: 'tar'; to: OutputFile }
  /** An archive that docker, podman and skopeo load, or an OCI image layout in a directory. */
  | { type: 'oci' | 'docker'; to: ImagesOutput; name?: string }

/** Outputs that are files of the image rather than the image. */
type FilesOutput = Extract<BuildOutput, { type: 'local' | 'tar' }>

export function isFilesOutput(output: BuildOutput): output is FilesOutput {
  return output.type === 'local' || output.type === 'tar'
}

/** A built image that the store holds, and what is said of it when that was asked for. */
interface Result {
  held: HeldImage
  attested: AttestedBuild | undefined
  tags: readonly ImageName[]
}

/** What names shall refer to: the index with the attestations, or the image alone. */
export function resultOf({ held, attested }: Pick<Result, 'held' | 'attested'>): Descriptor {
  return attested?.index?.descriptor ?? held.stored.descriptor
}

/** The image stays in the store, under its names. */
export async function keepImage(store: Store, result: Result, { signal }: OperationOptions): Promise<void> {
  const { held, attested, tags } = result
  if (attested?.index)
    await copyImage(attested.source(store), held.operation, { signal, name: attested.index, all: true })
  held.keep()
  await store.images.announce('create', held.stored.id)
  for (const tag of tags) await store.images.setName(tag, resultOf(result), { tagged: true })
}

/** Writes a copy of the image out of the store. */
export async function writeImage(
  store: Store,
  { held, attested, tags }: Result,
  to: ImagesOutput,
  { signal, progress }: OperationOptions,
): Promise<void> {
  await using target = await openImagesTarget(to)
  const { descriptor, platform } = held.stored
  const index = attested?.index
  const what = index ? { name: index, all: true } : { name: descriptor.digest, platform }
  // As BuildKit does it: readers of a layout ask for a tag.
  const unnamed = 'directory' in to ? 'latest' : undefined
  for (const targetName of tags.length > 0 ? tags.map((tag) => fullName(tag)) : [unnamed])
    await copyImage(attested?.source(store) ?? store, target, { signal, progress, ...what, targetName, act: 'save' })
  await target.finish()
}

/** Writes the files of an image, with the attestations beside them. */
export async function writeFiles(
  built: BuiltImage,
  attested: AttestedBuild | undefined,
  output: FilesOutput,
  options: OperationOptions,
): Promise<void> {
  const files = attested?.files(built) ?? built.files()
  if (output.type === 'local') return writeLocal(files, output.directory, options)
  const { packTar } = await import('#format/tar')
  await using file = await openOutput('file' in output.to ? output.to.file : output.to.stream)
  await pourInto(file, packTar(files), options)
}

async function writeLocal(
  files: AsyncIterable<PackedEntry>,
  directory: string,
  { progress }: OperationOptions,
): Promise<void> {
  const skipped = await writeDirectory(files, directory)
  if (skipped > 0) progress?.({ kind: 'warning', text: `${skipped} device files were left out of ${directory}` })
}
