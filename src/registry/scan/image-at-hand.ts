import { BaleError, errnoOf } from '#base'
import { checkedManifest, type ImageSource, isImageManifest } from '#image'
import { repositorySource } from '../local/index.ts'
import type { MetaStore, TakenScan } from '../meta/index.ts'
import type { ObjectStore } from '../objects/index.ts'
import type { Upstreams } from '../upstream/index.ts'
import type { ScannedImage } from './scan-process.ts'

/** Where the images are. */
export interface ImageParts {
  meta: MetaStore
  objects: ObjectStore
  upstreams: Pick<Upstreams, 'find'> | undefined
}

/** Undefined of what is no image: a signature, a chart. INVALID_MANIFEST when it cannot be read. */
export function imageOf({ digest, manifest: { mediaType, bytes } }: TakenScan): ScannedImage | undefined {
  const read = checkedManifest({ descriptor: { digest, mediaType, size: bytes.byteLength }, bytes })
  if (read.kind !== 'manifest' || !isImageManifest(read.manifest)) return undefined
  return { read, manifest: read.manifest }
}

/** The blobs of one repository. BLOB_NOT_FOUND also of one whose object is gone. */
export function blobsOf({ meta, objects }: ImageParts, repository: string): ImageSource {
  const source = repositorySource({ meta, objects, repository })
  return {
    ...source,
    async blob(descriptor, options) {
      const stream = await source.blob(descriptor, options)
      return withLossesTold(stream, new BaleError('BLOB_NOT_FOUND', `the object of ${descriptor.digest} is missing`))
    },
  }
}

async function* withLossesTold(stream: AsyncIterable<Uint8Array>, lost: BaleError): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? lost : error
  }
}

/**
 * Fetches those blobs of an image that an upstream has not brought yet, since a gate may keep all others from pulling it. What the
 * upstream does not have either stays missing.
 */
export async function bringBlobs(
  { meta, objects, upstreams }: ImageParts,
  repository: string,
  { manifest }: ScannedImage,
): Promise<void> {
  const cached = upstreams?.find(repository)
  if (!cached) return
  for (const { digest } of [manifest.config, ...manifest.layers]) {
    const blob = await meta.findBlob(repository, digest)
    if (blob && (await objects.size(blob.key)) === blob.size) continue
    const brought = await cached.bring(digest)
    if (brought && brought !== 'stored') await brought.stored
  }
}
