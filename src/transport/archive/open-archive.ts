import { type FileHandle, open } from 'node:fs/promises'
import { BaleError, readAll } from '#base'
import { skipBytes } from '#blob'
import { decompress } from '#format/compression'
import { streamFile } from '#host/file'
import type { ImageSource, LocalFiles } from '#image'
import { algorithmOf, type Descriptor, type Digest, hexOf, MANIFEST_LIMIT } from '#spec'
import { findNamedImage, type NamedImage, readNamedImages } from '../layout/index.ts'
import { type ArchiveFile, type ArchiveIndex, indexArchive, invalidArchive } from './archive-index.ts'
import {
  type ArchiveBlob,
  type ArchiveBytes,
  type DockerImage,
  type ReadDockerOptions,
  readDockerImages,
} from './docker-images.ts'
import { type UnwrapOptions, type UnwrappedArchive, unwrapArchive } from './unwrap-archive.ts'

/** An image of an archive, with the names that the archive gives it. */
export interface ArchiveImage {
  /** Full references, in the archive's order; none for an image saved by ID. */
  names: string[]
  /** Invalid values among the archive's names: a digest, a sentence. */
  oddNames: string[]
  /** A manifest or an index. */
  descriptor: Descriptor
}

/** An archive of images in one tar file: docker's (1.10 and later), podman's, skopeo's, OCI's, bale's. */
export interface ImageArchive extends ImageSource, LocalFiles, AsyncDisposable {
  images(): readonly ArchiveImage[]
  /** False for what the archive's documents name and the archive leaves out: other platforms, layers. */
  holds(descriptor: Descriptor): boolean
}

type OpenArchiveOptions = UnwrapOptions & ReadDockerOptions

/**
 * Opens an archive, whatever it is compressed with, from a file or a stream. The tar is indexed once; blobs are then read
 * in place, by byte range, and never extracted (T27, T28). An archive with an OCI index is read by that, its blobs as they
 * were saved; one with only docker's manifest.json gets a manifest made from it. INVALID_ARCHIVE for all else.
 */
export async function openArchive(
  input: string | AsyncIterable<Uint8Array>,
  options: OpenArchiveOptions = {},
): Promise<ImageArchive> {
  const unwrapped = await unwrapArchive(input, options)
  try {
    const content = await readContent(unwrapped, options)
    return archiveOf(unwrapped, content)
  } catch (error) {
    await unwrapped[Symbol.asyncDispose]()
    throw error
  }
}

interface Content {
  images: NamedImage[]
  manifests: ReadonlyMap<Digest, Uint8Array>
  find(digest: Digest): ArchiveBlob | undefined
}

async function readContent({ path, name }: UnwrappedArchive, options: OpenArchiveOptions): Promise<Content> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const index = await indexArchive(file, size, name)
  const bytes = bytesOf(file, path)
  const ociIndex = index.find('index.json')
  if (ociIndex) {
    const all = readNamedImages(await bytes.readSmall(ociIndex, MANIFEST_LIMIT, 'index.json'))
    const images = all.filter(({ descriptor }) => findBlob(index, descriptor.digest))
    if (images.length > 0) return { images, manifests: new Map(), find: (digest) => findBlob(index, digest) }
    if (all.length > 0 && !index.find('manifest.json')) {
      throw invalidArchive(`${name} lists ${all.length} images in index.json, but holds none of them`)
    }
  }
  const manifestJson = index.find('manifest.json')
  if (manifestJson) return dockerContent(await readDockerImages(index, manifestJson, bytes, options))
  if (ociIndex) return { images: [], manifests: new Map(), find: () => undefined }
  throw unknownArchive(index, name)
}

function findBlob(index: ArchiveIndex, digest: Digest): ArchiveFile | undefined {
  return index.find(`blobs/${algorithmOf(digest)}/${hexOf(digest)}`)
}

function dockerContent(images: readonly DockerImage[]): Content {
  const manifests = new Map<Digest, Uint8Array>()
  const blobs = new Map<Digest, ArchiveBlob>()
  const named: NamedImage[] = []
  for (const image of images) {
    const { manifestDescriptor: descriptor, manifestBytes } = image.documents
    manifests.set(descriptor.digest, manifestBytes)
    for (const [digest, file] of image.blobs) blobs.set(digest, file)
    for (const fullName of image.names) named.push({ descriptor, fullName })
    for (const oddName of image.oddNames) named.push({ descriptor, oddName })
    if (image.names.length + image.oddNames.length === 0) named.push({ descriptor })
  }
  return { images: named, manifests, find: (digest) => blobs.get(digest) }
}

function unknownArchive(index: ArchiveIndex, name: string): BaleError {
  if (!index.find('repositories'))
    return invalidArchive(`${name} is a tar, but has neither manifest.json nor index.json`)
  return new BaleError('INVALID_ARCHIVE', `${name} was saved by docker before 1.10, which is no longer supported`, {
    hint: 'load it with docker 1.10 to 28 and save it again',
  })
}

function bytesOf(file: FileHandle, path: string): ArchiveBytes {
  return {
    async readSmall({ offset, size }, limit, what) {
      if (size > limit)
        throw new BaleError('LIMIT_EXCEEDED', `${what} has ${size} bytes; at most ${limit} are accepted`)
      const buffer = Buffer.alloc(size)
      const { bytesRead } = size === 0 ? { bytesRead: 0 } : await file.read(buffer, 0, size, offset)
      if (bytesRead < size) throw invalidArchive(`${path} is truncated in ${what}`)
      return buffer
    },
    stream: (one, offset = 0) => streamFile(path, { start: one.offset + offset, end: one.offset + one.size }),
  }
}

function archiveOf(unwrapped: UnwrappedArchive, { images, manifests, find }: Content): ImageArchive {
  const { path, name } = unwrapped
  const range = (digest: Digest): ArchiveBlob => {
    const found = find(digest)
    if (found) return found
    throw new BaleError('BLOB_NOT_FOUND', `${name} has no blob ${digest}`, {
      hint: 'the archive was saved without some of its layers or platforms; save it again with all of them',
    })
  }
  const manifest: ImageSource['manifest'] = async ({ digest }, { signal } = {}) => {
    const made = manifests.get(digest)
    if (made) return made
    const found = find(digest)
    if (!found) throw new BaleError('MANIFEST_NOT_FOUND', `${name} has no manifest ${digest}`)
    const stream = streamFile(path, { start: found.offset, end: found.offset + found.size, signal })
    return readAll(stream, { limit: MANIFEST_LIMIT, what: `manifest ${digest}` })
  }
  return {
    images: () => grouped(images),
    async resolve(wanted, options) {
      const descriptor = { ...findNamedImage(images, wanted, name) }
      return { descriptor, bytes: await manifest(descriptor, options) }
    },
    manifest,
    async blob({ digest }, { offset = 0, signal } = {}) {
      const { unpack, offset: start, size } = range(digest)
      if (unpack === undefined) return streamFile(path, { start: start + offset, end: start + size, signal })
      return skipBytes(decompress(streamFile(path, { start, end: start + size, signal }), unpack, { signal }), offset)
    },
    async localFile({ digest }) {
      const found = find(digest)
      return found && found.unpack === undefined ? { path, offset: found.offset, size: found.size } : undefined
    },
    holds: ({ digest }) => manifests.has(digest) || find(digest) !== undefined,
    [Symbol.asyncDispose]: () => unwrapped[Symbol.asyncDispose](),
  }
}

/** One entry for each image with all its names. */
function grouped(images: readonly NamedImage[]): ArchiveImage[] {
  const byDigest = new Map<Digest, ArchiveImage>()
  for (const { descriptor, fullName, oddName } of images) {
    const image = byDigest.get(descriptor.digest) ?? { names: [], oddNames: [], descriptor }
    byDigest.set(descriptor.digest, image)
    if (fullName !== undefined && !image.names.includes(fullName)) image.names.push(fullName)
    if (oddName !== undefined) image.oddNames.push(oddName)
  }
  return [...byDigest.values()]
}
