import { type BaleError, isBaleError, printable } from '#base'
import { createHasher, digestOf } from '#blob'
import { type Compression, DETECTION_BYTES, decompress, detectCompression } from '#format/compression'
import { type ImageDocuments, type LayerDescription, makeDocuments, plainLayer } from '#image'
import { CONFIG_LIMIT, type Digest, MediaType, parseImageConfig, parseStrictJson } from '#spec'
import { archiveName } from '../layout/index.ts'
import { type ArchiveFile, type ArchiveIndex, invalidArchive } from './archive-index.ts'

/** What is read of the archive's file. */
export interface ArchiveBytes {
  /** At most `limit` bytes are accepted. */
  readSmall(file: ArchiveFile, limit: number, what: string): Promise<Uint8Array>
  stream(file: ArchiveFile, offset?: number): AsyncIterable<Uint8Array>
}

/** An image of a docker archive without OCI documents. */
export interface DockerImage {
  names: string[]
  /** Invalid values among the names. */
  oddNames: string[]
  /** Made here, always the same for the same archive: docker archives have no manifests. */
  documents: ImageDocuments
  /** Config and layers. */
  blobs: Map<Digest, ArchiveBlob>
}

/** A blob is a file of the archive, or what such a file unpacks to: images have no layers in xz or bzip2. */
export type ArchiveBlob = ArchiveFile & { unpack?: Compression }

export interface ReadDockerOptions {
  /** Bytes of the tar of a layer that the target has already: an archive may leave its file out, as docker's loader allows. */
  knownLayer?(diffId: Digest): Promise<number | undefined>
}

const MANIFEST_JSON_LIMIT = 16 * 1024 * 1024
const IMAGES_LIMIT = 10_000
const LAYERS_LIMIT = 2_000

/**
 * Reads manifest.json (docker 1.10 and later, podman, skopeo): configs, layers in any of the layouts (`<id>/layer.tar`,
 * `<digest>.tar`, `blobs/…`), links between layers. A plain layer's digest is what the config says, which the target of a
 * copy verifies; a compressed one is hashed here.
 */
export async function readDockerImages(
  index: ArchiveIndex,
  manifestJson: ArchiveFile,
  bytes: ArchiveBytes,
  options: ReadDockerOptions = {},
): Promise<DockerImage[]> {
  const text = await bytes.readSmall(manifestJson, MANIFEST_JSON_LIMIT, 'manifest.json')
  const items = parsed(text)
  if (!Array.isArray(items) || items.length > IMAGES_LIMIT)
    throw invalidArchive('manifest.json is not a list of images')
  const reading: Reading = { index, bytes, options, hashed: new Map(), unpacked: new Map() }
  const images: DockerImage[] = []
  for (const item of items) images.push(await readImage(parseItem(item), reading))
  return images
}

function parsed(text: Uint8Array): unknown {
  try {
    return parseStrictJson(text, { limit: MANIFEST_JSON_LIMIT, what: 'manifest.json' })
  } catch (error) {
    if (!isBaleError(error, 'INVALID_MANIFEST')) throw error
    throw invalidArchive(error.message, error)
  }
}

interface Item {
  config: string
  names: string[]
  oddNames: string[]
  layers: string[]
}

function parseItem(item: unknown): Item {
  const { Config, RepoTags, Layers } = (item ?? {}) as Record<string, unknown>
  const layers = Layers ?? []
  const names = RepoTags ?? []
  if (typeof Config !== 'string' || !isTexts(layers) || !isTexts(names)) {
    throw invalidArchive('manifest.json has an entry without Config, Layers or RepoTags of the right kind')
  }
  if (layers.length > LAYERS_LIMIT) throw invalidArchive(`an image of the archive has more than ${LAYERS_LIMIT} layers`)
  const claimed = names.map(archiveName)
  return {
    config: Config,
    layers,
    names: [...new Set(claimed.flatMap(({ fullName }) => fullName ?? []))],
    oddNames: claimed.flatMap(({ oddName }) => oddName ?? []),
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

interface Reading {
  index: ArchiveIndex
  bytes: ArchiveBytes
  options: ReadDockerOptions
  /** Digests of compressed layers by offset: images share layers. */
  hashed: Map<number, Promise<Digest>>
  /** Bytes that layers in xz and bzip2 unpack to, by offset. */
  unpacked: Map<number, Promise<number>>
}

async function readImage(item: Item, reading: Reading): Promise<DockerImage> {
  const configFile = existing(reading, item.config)
  const configBytes = await reading.bytes.readSmall(configFile, CONFIG_LIMIT, `config ${printable(item.config, 100)}`)
  const diffIds = diffIdsOf(configBytes, item)
  const blobs = new Map<Digest, ArchiveBlob>([[digestOf(configBytes), configFile]])
  const layers: LayerDescription[] = []
  for (const [position, path] of item.layers.entries()) {
    const { layer, blob } = await readLayer(diffIds[position]!, path, reading)
    if (blob) blobs.set(layer.digest, blob)
    layers.push(layer)
  }
  const { names, oddNames } = item
  return { names, oddNames, documents: makeDocuments({ configBytes, layers }), blobs }
}

interface ReadLayer {
  layer: LayerDescription
  /** Undefined: the archive leaves it out, and the target has it. */
  blob?: ArchiveBlob
}

async function readLayer(diffId: Digest, path: string, reading: Reading): Promise<ReadLayer> {
  const file = reading.index.find(path)
  if (file) return describeLayer(file, diffId, reading)
  const size = await reading.options.knownLayer?.(diffId)
  if (size === undefined) throw missing(path)
  return { layer: plainLayer(diffId, size) }
}

function existing({ index }: Reading, path: string): ArchiveFile {
  const file = index.find(path)
  if (file) return file
  throw missing(path)
}

function missing(path: string): BaleError {
  return invalidArchive(`manifest.json names "${printable(path, 200)}", which is not in the archive`)
}

/** M05: as many layers as the config has diff IDs. */
function diffIdsOf(configBytes: Uint8Array, item: Item): readonly Digest[] {
  let diffIds: readonly Digest[]
  try {
    diffIds = parseImageConfig(configBytes).rootfs.diff_ids
  } catch (error) {
    if (!isBaleError(error)) throw error
    throw invalidArchive(`"${printable(item.config, 200)}" cannot be read: ${error.message}`, error)
  }
  if (diffIds.length === item.layers.length) return diffIds
  throw invalidArchive(`manifest.json lists ${item.layers.length} layers, the image config ${diffIds.length}`)
}

async function describeLayer(file: ArchiveFile, diffId: Digest, reading: Reading): Promise<ReadLayer> {
  const { bytes, hashed, unpacked } = reading
  const compression = await compressionOf(file, bytes)
  if (compression === 'none') return { layer: plainLayer(diffId, file.size), blob: file }
  if (compression === 'gzip' || compression === 'zstd') {
    const known = hashed.get(file.offset) ?? hash(bytes.stream(file))
    hashed.set(file.offset, known)
    const mediaType = compression === 'gzip' ? MediaType.ociLayerGzip : MediaType.ociLayerZstd
    return { layer: { diffId, digest: await known, size: file.size, mediaType }, blob: file }
  }
  const size = unpacked.get(file.offset) ?? sizeOf(decompress(bytes.stream(file), compression))
  unpacked.set(file.offset, size)
  return { layer: plainLayer(diffId, await size), blob: { ...file, unpack: compression } }
}

async function sizeOf(stream: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  for await (const chunk of stream) size += chunk.byteLength
  return size
}

async function compressionOf(file: ArchiveFile, bytes: ArchiveBytes): Promise<Compression> {
  const first = { offset: file.offset, size: Math.min(file.size, DETECTION_BYTES) }
  return detectCompression(await bytes.readSmall(first, DETECTION_BYTES, 'layer'))
}

async function hash(stream: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hasher = createHasher('sha256')
  for await (const chunk of stream) hasher.update(chunk)
  return hasher.digest()
}
