import { BaleError, type OperationOptions, readAll } from '#base'
import { digestMismatch, digestOf, sizeMismatch, verifying } from '#blob'
import {
  algorithmOf,
  CONFIG_LIMIT,
  type Descriptor,
  type ImageConfig,
  type ImageManifest,
  isConfigType,
  isDefaultedConfigType,
  layerCompression,
  MANIFEST_LIMIT,
  type ParsedManifest,
  parseImageConfig,
  parseManifest,
} from '#spec'
import type { ImageSource, RawManifest } from './image-place.ts'

/** A manifest or index, parsed, with the bytes that its digest is of. */
export type ReadManifest = ParsedManifest & RawManifest

/** Reads a manifest or index, checks size, digest and shape. */
export async function readManifest(
  source: ImageSource,
  descriptor: Descriptor,
  options: OperationOptions = {},
): Promise<ReadManifest> {
  if (descriptor.size > MANIFEST_LIMIT) throw tooLarge('manifest', descriptor, MANIFEST_LIMIT)
  return checkedManifest({ descriptor, bytes: await source.manifest(descriptor, options) })
}

/** Checks size, digest and shape of a manifest or index that came. Throws SIZE_MISMATCH, DIGEST_MISMATCH, INVALID_MANIFEST. */
export function checkedManifest({ descriptor, bytes }: RawManifest): ReadManifest {
  if (descriptor.size > MANIFEST_LIMIT) throw tooLarge('manifest', descriptor, MANIFEST_LIMIT)
  verify(descriptor, bytes)
  return { ...parseManifest(bytes, descriptor.mediaType), descriptor, bytes }
}

/** Reads and checks the raw bytes of a config (or any small blob). */
export async function readConfigBytes(
  source: ImageSource,
  descriptor: Descriptor,
  options: OperationOptions = {},
): Promise<Uint8Array> {
  if (descriptor.size > CONFIG_LIMIT) throw tooLarge('image config', descriptor, CONFIG_LIMIT)
  return readAll(verifying(await source.blob(descriptor, options), descriptor), { limit: descriptor.size })
}

/** The image config of a manifest; undefined when the manifest is an artifact of another kind. */
export async function readImageConfig(
  source: ImageSource,
  manifest: ImageManifest,
  options: OperationOptions = {},
): Promise<{ config: ImageConfig; bytes: Uint8Array } | undefined> {
  if (!isImageManifest(manifest)) return undefined
  const bytes = await readConfigBytes(source, manifest.config, options)
  return { config: parseImageConfig(bytes), bytes }
}

/** True when a manifest's layers are file-system layers: an image that can run, rather than some artifact. */
export function isImageManifest({ config, layers }: ImageManifest): boolean {
  const layersAreFiles = layers.every((layer) => layerCompression(layer.mediaType) !== undefined)
  if (isConfigType(config.mediaType)) return layersAreFiles
  return isDefaultedConfigType(config.mediaType) && layersAreFiles && layers.length > 0
}

/** What an artifact calls itself. Source: image-spec manifest.md, "Guidelines for Artifact Usage". */
export function artifactTypeOf({ artifactType, config, layers }: ImageManifest): string {
  if (artifactType !== undefined) return artifactType
  return isConfigType(config.mediaType) ? (layers[0]?.mediaType ?? config.mediaType) : config.mediaType
}

function verify(descriptor: Descriptor, bytes: Uint8Array): void {
  if (bytes.byteLength !== descriptor.size) throw sizeMismatch(descriptor, bytes.byteLength)
  const digest = digestOf(bytes, algorithmOf(descriptor.digest))
  if (digest !== descriptor.digest) throw digestMismatch(descriptor.digest, digest)
}

function tooLarge(what: string, { digest, size }: Descriptor, limit: number): BaleError {
  return new BaleError('LIMIT_EXCEEDED', `${what} ${digest} has ${size} bytes; at most ${limit} are accepted`)
}
