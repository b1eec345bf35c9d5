import { mapLimited, type OperationOptions } from '#base'
import { describe, type ImageDocuments, replaceLayers, type TakesBlobsAhead } from '#image'
import {
  type Descriptor,
  type Digest,
  encodeDocument,
  type ImageIndex,
  isIndexType,
  layerCompression,
  MANIFEST_LIMIT,
  MediaType,
  ociTypeOf,
  parseManifest,
  parseStrictJson,
} from '#spec'
import type { Store, StoredImage, StoreOperation } from '#store'

/** How the layers that were made here are compressed; those that came compressed go on as they came. */
export interface CompressionOptions extends OperationOptions {
  /** gzip by default. zstd is smaller and quicker, and old clients cannot read it. */
  compression?: 'gzip' | 'zstd'
}

/** `ahead`: where the layers go, so that they can be sent while they are being compressed. */
interface TargetOptions extends CompressionOptions {
  ahead?: TakesBlobsAhead
}

/**
 * The manifest or index that is pushed in place of one of the store: the same when all its layers are compressed, or when it
 * came from a registry; else a new one with compressed layers, which the store then has too. The image ID stays.
 */
export async function compressedTarget(
  store: Store,
  intake: StoreOperation,
  target: Descriptor,
  options: TargetOptions,
): Promise<Descriptor> {
  if (isIndexType(target.mediaType)) return compressedIndex(store, intake, target, options)
  const image = await store.images.get(target.digest)
  if (!image || cameFromRegistry(image, target.digest) || !hasPlainLayer(image)) return target
  const layers: Descriptor[] = []
  // One after the other: each is compressed by all cores already.
  for (const [index, layer] of image.manifest.layers.entries()) {
    const plain = layerCompression(layer.mediaType) === 'none'
    layers.push(plain ? await compressedLayer(intake, layer, image.config.rootfs.diff_ids[index]!, options) : layer)
  }
  const { manifestDescriptor, manifestBytes } = replaceLayers(await documentsOf(store, image), layers)
  await intake.putManifest(manifestDescriptor, manifestBytes)
  return manifestDescriptor
}

/** A registry knows it by its digest, which must not change. */
function cameFromRegistry(image: StoredImage, digest: Digest): boolean {
  return image.repoDigests.some((name) => name.digest === digest)
}

function hasPlainLayer(image: StoredImage): boolean {
  return image.manifest.layers.some((layer) => layerCompression(layer.mediaType) === 'none')
}

async function compressedLayer(
  { layers }: StoreOperation,
  layer: Descriptor,
  diffId: Digest,
  options: TargetOptions,
): Promise<Descriptor> {
  const { mediaType, digest, size } = await layers.compressed(diffId, options)
  const isDocker = layer.mediaType === MediaType.dockerLayer && mediaType === MediaType.ociLayerGzip
  return { ...layer, mediaType: isDocker ? MediaType.dockerLayerGzip : mediaType, digest, size }
}

async function documentsOf(
  store: Store,
  { manifest, descriptor, config, rawConfig }: StoredImage,
): Promise<ImageDocuments> {
  return {
    manifest,
    manifestBytes: await store.manifest(descriptor),
    manifestDescriptor: descriptor,
    config,
    configBytes: rawConfig,
    configDescriptor: manifest.config,
  }
}

/** An index whose parts (those that are here) are replaced; members that bale does not know stay. */
async function compressedIndex(
  store: Store,
  intake: StoreOperation,
  target: Descriptor,
  options: TargetOptions,
): Promise<Descriptor> {
  const bytes = await store.manifest(target)
  const parsed = parseManifest(bytes, target.mediaType)
  if (parsed.kind !== 'index') return target
  const parts = parsed.index.manifests
  const replaced = await mapLimited(
    parts,
    1,
    async (part) => ((await store.has(part)) ? compressedTarget(store, intake, part, options) : part),
    { signal: options.signal },
  )
  if (replaced.every(({ digest }, index) => digest === parts[index]!.digest)) return target
  const byDigest = new Map(parts.map((part, index) => [part.digest, replaced[index]!]))
  const raw = parseStrictJson(bytes, { limit: MANIFEST_LIMIT, what: 'index' }) as ImageIndex
  const manifests = raw.manifests.map((part) => {
    const found = byDigest.get(part.digest)
    return found ? { ...part, mediaType: found.mediaType, digest: found.digest, size: found.size } : part
  })
  // A list of docker's has docker's manifests.
  const isMixed = replaced.some(({ mediaType }, index) => mediaType !== parts[index]!.mediaType)
  const mediaType = isMixed ? ociTypeOf(target.mediaType) : target.mediaType
  const changed = encodeDocument({ ...raw, ...(isMixed && { mediaType }), manifests })
  const descriptor = describe(changed, mediaType)
  await intake.putManifest(descriptor, changed)
  return descriptor
}
