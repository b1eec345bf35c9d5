import { BaleError, isBaleError, printable } from '#base'
import {
  type Descriptor,
  encodeDocument,
  familiarName,
  fullName,
  isDigest,
  isIndexType,
  isManifestType,
  MediaType,
  parseManifest,
  parseReference,
  withDefaultTag,
} from '#spec'

/** Annotation of docker and containerd: the full name. */
const CONTAINERD_NAME = 'io.containerd.image.name'
/** Annotation of the image specification; podman writes full names here, docker only the tag, skopeo what was typed. */
const REF_NAME = 'org.opencontainers.image.ref.name'

const HINT = 'the archive or layout is damaged; save the image again'

/** One entry of an index.json. */
export interface NamedImage {
  /** Without annotations and platform. */
  descriptor: Descriptor
  /** As the place itself knows it: what `umoci --image LAYOUT:NAME` and `skopeo copy oci:LAYOUT:NAME` take. */
  refName?: string
  /** Full reference, if the entry has one. */
  fullName?: string
  /** An invalid value in place of a name: a digest, a sentence. The image is listed without it. */
  oddName?: string
}

/** Reads an index.json. INVALID_ARCHIVE when it is malformed; what is no name with a tag names nothing (T27). */
export function readNamedImages(bytes: Uint8Array): NamedImage[] {
  const parsed = parsedIndex(bytes)
  return parsed.manifests.filter(isImage).map(({ mediaType, digest, size, annotations = {} }) => {
    const containerdName = annotations[CONTAINERD_NAME] || undefined
    const refName = annotations[REF_NAME] || undefined
    return {
      descriptor: { mediaType, digest, size },
      ...(refName === undefined ? {} : { refName }),
      ...optionalName(containerdName, refName),
    }
  })
}

function optionalName(containerdName?: string, refName?: string): Pick<NamedImage, 'fullName' | 'oddName'> {
  // A lone word is a tag of the layout, not a name in the world.
  const claimed = containerdName ?? (refName !== undefined && /[/:]/.test(refName) ? refName : undefined)
  return claimed === undefined ? {} : archiveName(claimed)
}

/** A name that an archive claims, as full reference. A digest is none: a name points, it does not promise (T27). */
export function archiveName(text: string): Pick<NamedImage, 'fullName' | 'oddName'> {
  try {
    const reference = parseReference(text)
    if (reference.digest === undefined) return { fullName: fullName(withDefaultTag(reference)) }
  } catch (error) {
    if (!isBaleError(error, 'INVALID_REFERENCE')) throw error
  }
  return { oddName: text }
}

/** Attestations, other referrers and build caches are listed beside the images. */
function isImage({ mediaType, artifactType, annotations }: Descriptor): boolean {
  if (!isManifestType(mediaType) && !isIndexType(mediaType)) return false
  return artifactType === undefined && annotations?.['vnd.docker.reference.type'] === undefined
}

function parsedIndex(bytes: Uint8Array) {
  try {
    const parsed = parseManifest(bytes, MediaType.ociIndex)
    if (parsed.kind === 'index') return parsed.index
  } catch (error) {
    if (!isBaleError(error)) throw error
    throw new BaleError('INVALID_ARCHIVE', `index.json cannot be read: ${error.message}`, { hint: HINT, cause: error })
  }
  throw new BaleError('INVALID_ARCHIVE', 'index.json is not an image index', { hint: HINT })
}

/** Writes an index.json; both annotations, so that docker, containerd, podman and skopeo find the names. */
export function writeNamedImages(images: readonly NamedImage[]): Uint8Array {
  const manifests = images.map(({ descriptor, refName, fullName: name }) => {
    const annotations = {
      ...(name === undefined ? {} : { [CONTAINERD_NAME]: name }),
      ...(refName === undefined ? {} : { [REF_NAME]: refName }),
    }
    const { mediaType, digest, size } = descriptor
    return { mediaType, digest, size, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) }
  })
  return encodeDocument({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests })
}

/** Finds an image by digest, by the place's own name, or by a reference in any spelling; undefined: the only one. */
export function findNamedImage(images: readonly NamedImage[], name: string | undefined, place: string): Descriptor {
  const found = images.filter((image) => name === undefined || fits(image, name))
  const digests = new Set(found.map(({ descriptor }) => descriptor.digest))
  if (name === undefined ? digests.size === 1 : digests.size > 0) return found[0]!.descriptor
  const known = images.map((image) => shown(image)).join(', ')
  const wanted = name === undefined ? 'more than one image, or none' : `no image "${printable(name, 200)}"`
  throw new BaleError('MANIFEST_NOT_FOUND', `${place} holds ${wanted}`, {
    hint: known === '' ? undefined : `it holds: ${printable(known, 400)}`,
  })
}

function fits(image: NamedImage, name: string): boolean {
  if (isDigest(name)) return image.descriptor.digest === name
  if (image.refName === name || image.fullName === name) return true
  if (image.fullName === undefined) return false
  try {
    return image.fullName === fullName(withDefaultTag(parseReference(name)))
  } catch (error) {
    if (isBaleError(error, 'INVALID_REFERENCE')) return false
    throw error
  }
}

function shown({ fullName: name, refName, descriptor }: NamedImage): string {
  return name === undefined ? (refName ?? descriptor.digest) : familiarName(parseReference(name))
}
