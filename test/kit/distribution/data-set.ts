/** Manifests with all that they refer to, as the checks push them. */
import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { type Algorithm, type Blob, blobOf } from './content.ts'
import { Media } from './media-types.ts'

export interface Descriptor {
  mediaType: string
  digest: string
  size: number
  artifactType?: string
  annotations?: Record<string, string>
  platform?: { os: string; architecture: string }
  data?: string
  urls?: string[]
}

export interface Manifest extends Blob {
  mediaType: string
  subject?: Descriptor
  /** As a registry must list it among the referrers of its subject. */
  asReferrer: Descriptor
}

export interface DataSet {
  name: string
  algorithm: Algorithm
  blobs: Blob[]
  /** In an order in which they can be pushed: what is referred to comes first. */
  manifests: Manifest[]
  tags: Map<string, Manifest>
  /** The tags come with the push by digest. */
  tagParameters: boolean
}

export interface SetOptions {
  algorithm?: Algorithm
  tagParameters?: boolean
}

export function dataSet(name: string, fill: (set: DataSet) => void, options: SetOptions = {}): DataSet {
  const { algorithm = 'sha256', tagParameters = false } = options
  const set: DataSet = { name, algorithm, tagParameters, blobs: [], manifests: [], tags: new Map() }
  fill(set)
  return set
}

/** What an image and an index have in common. */
interface Common {
  tags?: string[]
  artifactType?: string
  subject?: Descriptor
  annotations?: Record<string, string>
  /** A member that no specification knows. */
  custom?: boolean
}

export interface ImageOptions extends Common {
  /** Two compressed ones by default. */
  layers?: Descriptor[]
  /** That of an image by default. */
  config?: Descriptor
  architecture?: string
  /** Descriptors carry what they describe. */
  data?: boolean
}

export function addBlob(set: DataSet, bytes: Uint8Array | string, mediaType: string, data = false): Descriptor {
  const blob = blobOf(bytes, set.algorithm)
  if (!set.blobs.some(({ digest }) => digest === blob.digest)) set.blobs.push(blob)
  const descriptor: Descriptor = { mediaType, digest: blob.digest, size: blob.bytes.byteLength }
  return data ? { ...descriptor, data: Buffer.from(bytes).toString('base64') } : descriptor
}

/** No registry looks into a layer, so it is no tar. */
export function addLayer(set: DataSet, mediaType: string = Media.gzipLayer, data = false): Descriptor {
  const bytes = randomBytes(1024)
  return addBlob(set, mediaType === Media.gzipLayer ? gzipSync(bytes) : bytes, mediaType, data)
}

export function addImage(set: DataSet, options: ImageOptions = {}): Descriptor {
  const { architecture = 'amd64', data = false, custom = false, ...common } = options
  const layers = options.layers ?? [addLayer(set, undefined, data), addLayer(set, undefined, data)]
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) }
  const image = { architecture, os: 'linux', rootfs, author: randomText(), ...(custom ? customMember() : {}) }
  const config = options.config ?? addBlob(set, JSON.stringify(image), Media.config, data)
  const { mediaType, digest, size } = addManifest(set, Media.manifest, { config, layers }, { ...common, custom })
  return { mediaType, digest, size, platform: { os: 'linux', architecture } }
}

/** An image manifest that is no image. Without `content` it has nothing but the empty blob. */
export function addArtifact(
  set: DataSet,
  artifactType: string,
  { content = true, ...common }: Common & { content?: boolean } = {},
): Descriptor {
  const config = addBlob(set, '{}', Media.empty)
  const layers = [content ? addBlob(set, randomBytes(1024), artifactType) : config]
  return addImage(set, { ...common, artifactType, config, layers })
}

export function addIndex(set: DataSet, manifests: Descriptor[], common: Common = {}): Descriptor {
  return addManifest(set, Media.index, { manifests }, common)
}

function addManifest(
  set: DataSet,
  mediaType: string,
  content: { config?: Descriptor; layers?: Descriptor[]; manifests?: Descriptor[] },
  { tags = [], custom = false, ...common }: Common,
): Descriptor {
  const { artifactType, subject, annotations } = common
  const document = { schemaVersion: 2, mediaType, artifactType, ...content, subject, annotations }
  const blob = blobOf(JSON.stringify(custom ? { ...document, ...customMember() } : document), set.algorithm)
  const descriptor: Descriptor = { mediaType, digest: blob.digest, size: blob.bytes.byteLength }
  // Of an index without artifactType the member is left out; a manifest has its config's media type instead.
  const type = artifactType ?? content.config?.mediaType
  const asReferrer = { ...descriptor, artifactType: type, annotations }
  const manifest = { ...blob, mediaType, subject, asReferrer }
  set.manifests.push(manifest)
  for (const tag of tags) set.tags.set(tag, manifest)
  return descriptor
}

/** Makes a document unlike any other. */
export function randomText(): string {
  return randomBytes(12).toString('hex')
}

function customMember(): Record<string, string> {
  return { [`org.example.${randomText()}`]: randomText() }
}
