import { digestOf } from '#blob'
import {
  type ContainerConfig,
  type Descriptor,
  type Digest,
  encodeDocument,
  type History,
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

/** The image that another one is made on; an image of the store is one. */
export type ImageBase = Pick<ImageDocuments, 'config' | 'manifest'>

/** What an image is made of. */
export interface ImageParts {
  /** What comes from it: layers and history below the own ones, `os.version`, `os.features`, the manifest's annotations. */
  base?: ImageBase
  /** Platform, times, author, container's configuration, and the own steps as `history`. */
  config: Omit<ImageConfig, 'rootfs'>
  /** The own layers, lowest first. */
  layers: readonly LayerDescription[]
  /** Of the manifest; they win over the base's. */
  annotations?: Record<string, string>
}

/**
 * The one maker of images: writes the OCI documents from parts. The same parts give the same bytes. Members of a base's
 * config that are neither named above nor given are left out, as docker does it.
 */
export function makeImage({ base, config, layers, annotations }: ImageParts): ImageDocuments {
  const all = [...(base ? layersOf(base) : []), ...layers]
  const inherited = base && {
    ...{ 'os.version': base.config['os.version'], 'os.features': base.config['os.features'] },
    history: [...fullHistory(base.config), ...(config.history ?? [])],
  }
  const rootfs: ImageConfig['rootfs'] = { type: 'layers', diff_ids: all.map((layer) => layer.diffId) }
  return makeDocuments({
    configBytes: encodeDocument(orderConfig({ ...config, ...inherited, rootfs })),
    layers: all,
    annotations: { ...base?.manifest.annotations, ...annotations },
  })
}

/** The layers as the image's manifest has them, so that a push sends nothing that the registry has. */
function layersOf({ config, manifest }: ImageBase): LayerDescription[] {
  return manifest.layers.map((layer, index) => ({ ...layer, diffId: config.rootfs.diff_ids[index]! }))
}

/** An image's history with one entry for each layer, also where it has fewer or more (some tools write none). */
export function fullHistory({ history = [], rootfs, created }: ImageConfig): History[] {
  let left = rootfs.diff_ids.length
  const entries = history.map((entry) => (entry.empty_layer || left-- > 0 ? entry : { ...entry, empty_layer: true }))
  const missing = Array.from({ length: Math.max(0, left) }, () => ({ ...(created ? { created } : {}) }))
  return [...entries, ...missing]
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
function orderConfig<T extends ImageConfig>(config: T): T {
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
