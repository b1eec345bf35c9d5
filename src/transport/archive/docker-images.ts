import { isBaleError, printable } from '#base'
import { createHasher, digestOf } from '#blob'
import { type Compression, DETECTION_BYTES, detectCompression } from '#format/compression'
import { type ImageDocuments, type LayerDescription, makeDocuments } from '#image'
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
  /** Made here, always the same for the same archive: docker archives have no manifests. */
  documents: ImageDocuments
  /** Config and layers. */
  blobs: Map<Digest, ArchiveFile>
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
): Promise<DockerImage[]> {
  const text = await bytes.readSmall(manifestJson, MANIFEST_JSON_LIMIT, 'manifest.json')
  const items = parsed(text)
  if (!Array.isArray(items) || items.length > IMAGES_LIMIT)
    throw invalidArchive('manifest.json is not a list of images')
  const hashed = new Map<number, Promise<Digest>>()
  const images: DockerImage[] = []
  for (const item of items) images.push(await readImage(parseItem(item), { index, bytes, hashed }))
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
  return { config: Config, layers, names: [...new Set(names.map(archiveName))] }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

interface Reading {
  index: ArchiveIndex
  bytes: ArchiveBytes
  /** Digests of compressed layers by offset: images share layers. */
  hashed: Map<number, Promise<Digest>>
}

async function readImage(item: Item, reading: Reading): Promise<DockerImage> {
  const configFile = existing(reading, item.config)
  const configBytes = await reading.bytes.readSmall(configFile, CONFIG_LIMIT, `config ${printable(item.config, 100)}`)
  const diffIds = diffIdsOf(configBytes, item)
  const blobs = new Map<Digest, ArchiveFile>([[digestOf(configBytes), configFile]])
  const layers: LayerDescription[] = []
  for (const [position, path] of item.layers.entries()) {
    const file = existing(reading, path)
    const layer = await describeLayer(file, diffIds[position]!, path, reading)
    blobs.set(layer.digest, file)
    layers.push(layer)
  }
  return { names: item.names, documents: makeDocuments({ configBytes, layers }), blobs }
}

function existing({ index }: Reading, path: string): ArchiveFile {
  const file = index.find(path)
  if (file) return file
  throw invalidArchive(`manifest.json names "${printable(path, 200)}", which is not in the archive`)
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

const LAYER_TYPES: Partial<Record<Compression, string>> = {
  none: MediaType.ociLayer,
  gzip: MediaType.ociLayerGzip,
  zstd: MediaType.ociLayerZstd,
}

async function describeLayer(
  file: ArchiveFile,
  diffId: Digest,
  path: string,
  { bytes, hashed }: Reading,
): Promise<LayerDescription> {
  const compression = await compressionOf(file, bytes)
  const mediaType = LAYER_TYPES[compression]
  if (mediaType === undefined) {
    throw invalidArchive(`layer "${printable(path, 200)}" is compressed with ${compression}, which images do not use`)
  }
  if (compression === 'none') return { diffId, digest: diffId, size: file.size, mediaType }
  const known = hashed.get(file.offset) ?? hash(bytes.stream(file))
  hashed.set(file.offset, known)
  return { diffId, digest: await known, size: file.size, mediaType }
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
