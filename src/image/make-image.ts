import { digestOf } from '#blob'
import {
  type ContainerConfig,
  type Descriptor,
  type Digest,
  encodeDocument,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  MediaType,
  parseImageConfig,
} from '#spec'

/** A layer as a manifest and a config know it. */
export interface LayerDescription {
  /** Digest of the uncompressed tar. */
  diffId: Digest
  /** Digest of the blob; the same as diffId for an uncompressed layer. */
  digest: Digest
  /** Bytes of the blob. */
  size: number
  mediaType: string
  annotations?: Record<string, string>
}

/** The documents of one image, with the bytes that their digests are of. */
export interface ImageDocuments {
  readonly manifest: ImageManifest
  readonly manifestBytes: Uint8Array
  readonly manifestDescriptor: Descriptor
  readonly config: ImageConfig
  readonly configBytes: Uint8Array
  readonly configDescriptor: Descriptor
}

/** An uncompressed layer: its blob is its tar. */
export function plainLayer(diffId: Digest, tarSize: number): LayerDescription {
  return { diffId, digest: diffId, size: tarSize, mediaType: MediaType.ociLayer }
}

/**
 * Writes the OCI documents of an image from its config (whose diff_ids are replaced by those of the layers) and its
 * layers. The same input gives the same bytes.
 */
export function makeImage(parts: {
  config: Omit<ImageConfig, 'rootfs'> & { rootfs?: ImageConfig['rootfs'] }
  layers: readonly LayerDescription[]
  annotations?: Record<string, string>
}): ImageDocuments {
  const diffIds = parts.layers.map((layer) => layer.diffId)
  const config = orderConfig({ ...parts.config, rootfs: { type: 'layers', diff_ids: diffIds } })
  return makeDocuments({ ...parts, configBytes: encodeDocument(config) })
}

/** Writes a manifest around a config whose bytes are given, so that the image ID stays. */
export function makeDocuments(parts: {
  configBytes: Uint8Array
  configType?: string
  layers: readonly LayerDescription[]
  annotations?: Record<string, string>
  artifactType?: string
  subject?: Descriptor
}): ImageDocuments {
  const configDescriptor = describe(parts.configBytes, parts.configType ?? MediaType.ociConfig)
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    ...(parts.artifactType ? { artifactType: parts.artifactType } : {}),
    config: configDescriptor,
    layers: parts.layers.map(layerDescriptor),
    ...(parts.subject ? { subject: parts.subject } : {}),
    ...optionalAnnotations(parts.annotations),
  }
  const manifestBytes = encodeDocument(manifest)
  return {
    manifest,
    manifestBytes,
    manifestDescriptor: describe(manifestBytes, MediaType.ociManifest),
    config: parseImageConfig(parts.configBytes),
    configBytes: parts.configBytes,
    configDescriptor,
  }
}

/** Writes an index of these manifests; give each a platform. */
export function makeIndex(
  manifests: readonly Descriptor[],
  options: { annotations?: Record<string, string>; mediaType?: string } = {},
): { index: ImageIndex; bytes: Uint8Array; descriptor: Descriptor } {
  const mediaType = options.mediaType ?? MediaType.ociIndex
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType,
    manifests: [...manifests],
    ...optionalAnnotations(options.annotations),
  }
  const bytes = encodeDocument(index)
  return { index, bytes, descriptor: describe(bytes, mediaType) }
}

/** The descriptor of bytes in memory. */
export function describe(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength }
}

function layerDescriptor({ mediaType, digest, size, annotations }: LayerDescription): Descriptor {
  return { mediaType, digest, size, ...optionalAnnotations(annotations) }
}

function optionalAnnotations(annotations: Record<string, string> | undefined): {
  annotations?: Record<string, string>
} {
  return annotations && Object.keys(annotations).length > 0 ? { annotations } : {}
}

const CONFIG_ORDER: readonly (keyof ImageConfig)[] = [
  'architecture',
  'variant',
  'os',
  'os.version',
  'os.features',
  'created',
  'author',
  'comment',
  'container',
  'docker_version',
  'config',
  'rootfs',
  'history',
]
const CONTAINER_ORDER: readonly (keyof ContainerConfig)[] = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Healthcheck',
  'ArgsEscaped',
  'Volumes',
  'WorkingDir',
  'Labels',
  'OnBuild',
  'StopSignal',
  'Shell',
]

/** Members in a fixed order, maps sorted by key, so that equal configs have equal bytes. Unknown members follow. */
export function orderConfig<T extends ImageConfig>(config: T): T {
  const container = config.config
  const inner = container && {
    ...container,
    ...sortedMaps(container, ['ExposedPorts', 'Volumes', 'Labels']),
  }
  return inOrder({ ...config, ...(inner ? { config: inOrder(inner, CONTAINER_ORDER) } : {}) }, CONFIG_ORDER)
}

function inOrder<T extends object>(value: T, order: readonly string[]): T {
  const rank = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  // Array sort is stable: unknown members keep their order.
  return Object.fromEntries(members.sort(([left], [right]) => rank(left) - rank(right))) as T
}

function sortedMaps(container: ContainerConfig, names: (keyof ContainerConfig)[]): Partial<ContainerConfig> {
  const maps = names.flatMap((name) => {
    const map = container[name]
    if (typeof map !== 'object') return []
    return [[name, Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))] as const]
  })
  return Object.fromEntries(maps)
}
