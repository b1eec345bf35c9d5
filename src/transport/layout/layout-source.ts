import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import { streamFile } from '#host/file'
import type { ImageSource, LocalFiles } from '#image'
import { algorithmOf, type Descriptor, type Digest, hexOf, MANIFEST_LIMIT } from '#spec'
import { findNamedImage, type NamedImage, readNamedImages } from './named-images.ts'

/** An OCI image layout as a source of images. */
export interface LayoutSource extends ImageSource, LocalFiles {
  readonly directory: string
  images(): Promise<NamedImage[]>
}

/**
 * An OCI image layout in a directory. Nothing is followed: `index.json`, `blobs`, and every blob must be what they seem, not
 * links to somewhere on this machine (T28). Blobs are not verified here; the target does that.
 */
export async function openLayout(directory: string): Promise<LayoutSource> {
  await checkMarker(directory)
  const images = async () => readNamedImages(await readSmall(join(directory, 'index.json')))
  await images()
  const manifest: ImageSource['manifest'] = async ({ digest }) => {
    const path = await blobPath(directory, digest)
    if (path !== undefined) return readSmall(path)
    throw new BaleError('MANIFEST_NOT_FOUND', `layout ${directory} has no manifest ${digest}`)
  }
  return {
    directory,
    images,
    async resolve(name) {
      const descriptor = { ...findNamedImage(await images(), name, `layout ${directory}`) }
      return { descriptor, bytes: await manifest(descriptor) }
    },
    manifest,
    async blob({ digest }, { offset = 0, signal } = {}) {
      const path = await blobPath(directory, digest)
      if (path === undefined) throw new BaleError('BLOB_NOT_FOUND', `layout ${directory} has no blob ${digest}`)
      return streamFile(path, { start: offset, signal })
    },
    localFile: (descriptor) => layoutFile(directory, descriptor),
  }
}

async function layoutFile(directory: string, { digest }: Descriptor) {
  const path = await blobPath(directory, digest)
  if (path === undefined) return undefined
  return { path, offset: 0, size: (await lstat(path)).size }
}

/** Source: image-spec image-layout.md. */
async function checkMarker(directory: string): Promise<void> {
  const marker = join(directory, 'oci-layout')
  const found = await statIfThere(marker)
  if (found === undefined) {
    throw new BaleError('INVALID_ARCHIVE', `${directory} is not an OCI image layout: it has no file oci-layout`, {
      hint: 'skopeo copy … oci:DIRECTORY:TAG makes one',
    })
  }
  const text = Buffer.from(await readSmall(marker)).toString('utf8')
  if (!/"imageLayoutVersion"\s*:\s*"1\.\d+\.\d+"/.test(text)) {
    throw new BaleError('INVALID_ARCHIVE', `${directory} is an OCI image layout of an unknown version`)
  }
}

/** Undefined when the blob is absent. The digest was checked when it became a Digest, so it cannot be a path. */
export async function blobPath(directory: string, digest: Digest): Promise<string | undefined> {
  const steps = ['blobs', algorithmOf(digest), hexOf(digest)]
  let path = directory
  for (const [index, step] of steps.entries()) {
    path = join(path, step)
    const found = await statIfThere(path)
    if (found === undefined) return undefined
    if (index < 2 ? !found.isDirectory() : !found.isFile()) throw notPlain(path)
  }
  return path
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** Reads a document of at most 4 MiB. */
async function readSmall(path: string): Promise<Uint8Array> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') throw notPlain(path)
    if (errnoOf(error) === 'ENOENT')
      throw new BaleError('INVALID_ARCHIVE', `${path} is missing`, {
        hint: 'this is not an OCI image layout, or one that is only half written',
        cause: error,
      })
    throw error
  }
  await using held = file
  const found = await held.stat()
  if (!found.isFile()) throw notPlain(path)
  if (found.size <= MANIFEST_LIMIT) return await held.readFile()
  throw new BaleError('LIMIT_EXCEEDED', `${path} has ${found.size} bytes; at most ${MANIFEST_LIMIT} are accepted`)
}

function notPlain(path: string): BaleError {
  return new BaleError('INVALID_ARCHIVE', `${path} is a link or a special file; a layout has only plain files`)
}
