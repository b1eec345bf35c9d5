import { BaleError } from '#base'
import { type Descriptor, type Digest, isIndexType, isManifestType, type ParsedManifest, parseManifest } from '#spec'
import type { NewManifest } from '../meta/index.ts'

/** What the bytes of a manifest do not say. */
interface Known {
  /** Of the bytes; the caller has made sure. */
  digest: Digest
  /** The media type that they came with. */
  announced?: string | undefined
  tags: string[]
  actor: string
}

/** What the metadata keeps of a manifest or index. Throws INVALID_MANIFEST, LIMIT_EXCEEDED, INVALID_DIGEST. */
export function describeManifest(bytes: Uint8Array, { digest, announced, tags, actor }: Known): NewManifest {
  const parsed = parseManifest(bytes, announced)
  // What cannot be looked up cannot be guaranteed to exist.
  const [objection] = (parsed.kind === 'index' && parsed.index.unreadable) || []
  if (objection) throw new BaleError('INVALID_MANIFEST', objection)
  const { mediaType, subject } = documentOf(parsed)
  const descriptor = descriptorOf(parsed, digest, bytes.byteLength)
  const { blobs, children } = referredTo(parsed)
  return {
    digest,
    mediaType,
    bytes,
    artifactType: descriptor.artifactType,
    subject: subject?.digest,
    descriptor,
    blobs: blobs.map((blob) => ({ digest: blob.digest, size: blob.size, optional: isForeign(blob) })),
    children: [...new Set(children.map((child) => child.digest))],
    tags,
    actor,
  }
}

function documentOf(parsed: ParsedManifest) {
  return parsed.kind === 'index' ? parsed.index : parsed.manifest
}

/** As the referrers of its subject list it. */
function descriptorOf(parsed: ParsedManifest, digest: Digest, size: number): Descriptor {
  const document = documentOf(parsed)
  // Image-spec manifest.md: without artifactType the config's media type says what an artifact is.
  const artifactType =
    document.artifactType ?? (parsed.kind === 'manifest' ? parsed.manifest.config.mediaType : undefined)
  const descriptor: Descriptor = { mediaType: document.mediaType, digest, size }
  if (artifactType !== undefined) descriptor.artifactType = artifactType
  if (document.annotations !== undefined) descriptor.annotations = { ...document.annotations }
  return descriptor
}

/** An index may also list plain blobs: build caches do. */
function referredTo(parsed: ParsedManifest): { blobs: Descriptor[]; children: Descriptor[] } {
  if (parsed.kind === 'manifest') return { blobs: [parsed.manifest.config, ...parsed.manifest.layers], children: [] }
  const isChild = ({ mediaType }: Descriptor) => isManifestType(mediaType) || isIndexType(mediaType)
  const { manifests } = parsed.index
  return { children: manifests.filter(isChild), blobs: manifests.filter((entry) => !isChild(entry)) }
}

/** Whether a blob may be missing: non-distributable layers are stored elsewhere. Their URLs are never fetched (M06). */
export function isForeign({ mediaType, urls }: Descriptor): boolean {
  return /\.nondistributable\.|\.foreign\./.test(mediaType) || (urls?.length ?? 0) > 0
}
