import { mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BaleError, errnoOf, readAll } from '#base'
import { streamOf, verifying } from '#blob'
import { fsyncDirectory, publishFile, randomHex, streamFile, withNoSpace, writeFileAtomic } from '#host/file'
import type { ImageTarget } from '#image'
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  fullName,
  hexOf,
  isIndexType,
  isManifestType,
  MANIFEST_LIMIT,
  parseManifest,
  parseReference,
  withDefaultTag,
} from '#spec'
import { blobPath, openLayout } from './layout-source.ts'
import { type NamedImage, writeNamedImages } from './named-images.ts'

/** An OCI image layout that images are written to. */
export interface LayoutTarget extends ImageTarget {
  readonly directory: string
  /** Lists images that have no name in index.json. */
  finish(): Promise<void>
}

/**
 * Writes into an OCI image layout, created when missing. A name is a tag of the layout (`v1`), or a full
 * reference, which is kept with its tag as the layout's own name: the newest image of a tag has it, as with BuildKit. Blobs appear
 * complete or not at all; index.json is replaced as a whole with every `tag`. Images of other writers stay listed.
 */
export async function createLayoutTarget(directory: string): Promise<LayoutTarget> {
  await prepare(directory)
  /** Manifests and indexes of this target, and what the indexes list. */
  const roots = new Map<Digest, Descriptor>()
  const children = new Set<Digest>()

  async function put(descriptor: Descriptor, stream: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const path = join(directory, 'blobs', algorithmOf(descriptor.digest), hexOf(descriptor.digest))
    await mkdir(dirname(path), { recursive: true })
    await withNoSpace(`blob ${descriptor.digest}`, () => writeBlob(path, verifying(stream, descriptor), signal))
  }
  const write = (images: readonly NamedImage[]) =>
    writeFileAtomic(join(directory, 'index.json'), writeNamedImages(images), { mode: 0o644 })

  return {
    directory,
    has: (descriptor) => isComplete(directory, descriptor),
    hold: (descriptor) => isComplete(directory, descriptor),
    async putBlob(descriptor, openStream, { signal } = {}) {
      if ((await blobPath(directory, descriptor.digest)) !== undefined) return { how: 'existed' }
      await put(descriptor, await openStream(0), signal)
      return { how: 'moved', bytes: descriptor.size }
    },
    async putManifest(descriptor, bytes, { signal } = {}) {
      await put(descriptor, streamOf(bytes), signal)
      const parsed = parseManifest(bytes, descriptor.mediaType)
      if (parsed.kind === 'index') for (const { digest } of parsed.index.manifests) children.add(digest)
      const { mediaType, digest, size } = descriptor
      roots.set(digest, { mediaType, digest, size })
    },
    async tag(name, { descriptor: { mediaType, digest, size } }) {
      if ((await blobPath(directory, digest)) === undefined) {
        throw new BaleError('MANIFEST_NOT_FOUND', `layout ${directory} has no manifest ${digest}`)
      }
      const named = { descriptor: { mediaType, digest, size }, ...namesOf(name) }
      const images = (await (await openLayout(directory)).images())
        .filter((image) => !isReplaced(image, named))
        .map((image) => (image.refName === named.refName ? withoutRefName(image) : image))
      await write([...images, named])
    },
    async finish() {
      const images = await (await openLayout(directory)).images()
      const listed = new Set(images.map((image) => image.descriptor.digest))
      const missing = [...roots.values()].filter(({ digest }) => !listed.has(digest) && !children.has(digest))
      if (missing.length > 0) await write([...images, ...missing.map((descriptor) => ({ descriptor }))])
    },
  }
}

/** `v1` is a tag of the layout; what has a slash or colon is a reference, whose tag the layout knows it by. */
function namesOf(name: string): Pick<NamedImage, 'refName' | 'fullName'> {
  if (!/[/:]/.test(name)) return { refName: name }
  const reference = withDefaultTag(parseReference(name))
  return { refName: reference.tag, fullName: fullName(reference) }
}

/** The entry that had these names before, or the one of this image without any name. */
function isReplaced(image: NamedImage, named: NamedImage): boolean {
  if (isUnnamed(image)) return image.descriptor.digest === named.descriptor.digest
  return image.fullName === undefined ? image.refName === named.refName : image.fullName === named.fullName
}

/** An image with a full name keeps that when another image takes its tag. */
function withoutRefName({ refName: _, ...image }: NamedImage): NamedImage {
  return image
}

const isUnnamed = (image: NamedImage) => image.refName === undefined && image.fullName === undefined

/** A manifest is present only if everything it names is, since another program may have written part of an image. */
async function isComplete(directory: string, { digest, mediaType }: Descriptor): Promise<boolean> {
  const path = await blobPath(directory, digest)
  if (path === undefined) return false
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) return true
  const bytes = await readAll(streamFile(path), { limit: MANIFEST_LIMIT, what: path })
  const parsed = parseManifest(bytes, mediaType)
  const parts = parsed.kind === 'index' ? parsed.index.manifests : [parsed.manifest.config, ...parsed.manifest.layers]
  for (const part of parts) if (!(await isComplete(directory, part))) return false
  return true
}

async function prepare(directory: string): Promise<void> {
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true })
  for (const [name, content] of [
    ['oci-layout', '{"imageLayoutVersion":"1.0.0"}'],
    ['index.json', writeNamedImages([])],
  ] as const) {
    try {
      await using file = await open(join(directory, name), 'wx', 0o644)
      await file.writeFile(content)
      await file.sync()
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
  }
  await fsyncDirectory(directory)
  await openLayout(directory)
}

async function writeBlob(path: string, stream: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
  const temporary = `${path}.${randomHex(6)}.partial`
  try {
    await using file = await open(temporary, 'wx', 0o644)
    for await (const chunk of stream) {
      signal?.throwIfAborted()
      await file.writeFile(chunk)
    }
    signal?.throwIfAborted()
    await file.close()
    await publishFile(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
