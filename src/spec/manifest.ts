import { BaleError, isBaleError, printable } from '#base'
import { parseDigest } from './digest.ts'
import type { Descriptor, ImageIndex, ImageManifest } from './documents.ts'
import { compact, deepFreeze, Fields, malformed } from './fields.ts'
import { isIndexType, isManifestType, MediaType } from './media-types.ts'
import { isPlatformComponent, type Platform } from './platform.ts'
import { parseStrictJson } from './strict-json.ts'

/** Bytes. Source: distribution-spec, "Pushing Manifests": registries should accept 4 megabytes. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024
const LAYERS_LIMIT = 4096
const INDEX_LIMIT = 10_000
/** RFC 6838, restricted names. */
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/

/** A manifest or an index, by `kind`. */
export type ParsedManifest = { kind: 'manifest'; manifest: ImageManifest } | { kind: 'index'; index: ImageIndex }

/**
 * Reads a manifest or index of OCI or docker (schema 2) from its bytes, whose digest the caller has checked. What it is
 * follows from its media type, the document's own or the one it was announced with; a document that could be read
 * as both, or contradicts the announced type, is refused (CVE-2021-41190). The result is frozen.
 * Throws INVALID_MANIFEST, LIMIT_EXCEEDED, INVALID_DIGEST.
 */
export function parseManifest(bytes: Uint8Array, announced?: string): ParsedManifest {
  const fields = new Fields(parseStrictJson(bytes, { limit: MANIFEST_LIMIT, what: 'manifest' }), 'manifest')
  refuseSchema1(fields)
  if (fields.get('schemaVersion') !== 2) throw malformed('manifest.schemaVersion', 'is not 2')
  const mediaType = mediaTypeOf(fields, announced)
  if (isIndexType(mediaType)) {
    if (fields.has('layers') || fields.has('config')) throw both()
    return deepFreeze({ kind: 'index', index: readIndex(fields, mediaType) })
  }
  if (fields.has('manifests')) throw both()
  return deepFreeze({ kind: 'manifest', manifest: readManifest(fields, mediaType) })
}

/** Reads a single descriptor (an entry of index.json, a referrer). `ifMissing` replaces an absent media type. */
export function parseDescriptor(value: unknown, path = 'descriptor', ifMissing?: string): Descriptor {
  const fields = new Fields(value, path)
  const size = fields.count('size')
  if (size === undefined) throw malformed(fields.path('size'), 'is missing')
  return compact({
    mediaType: checkMediaType(fields.text('mediaType') || ifMissing, fields.path('mediaType')),
    digest: parseDigest(fields.text('digest')),
    size,
    platform: readPlatform(fields.get('platform'), fields.path('platform')),
    annotations: fields.textMap('annotations'),
    artifactType: fields.text('artifactType') || undefined,
    urls: fields.texts('urls'),
    data: fields.text('data'),
  })
}

function readManifest(fields: Fields, mediaType: string): ImageManifest {
  const layers = fields.list('layers', LAYERS_LIMIT)
  if (!fields.has('config')) throw malformed('manifest.config', 'is missing')
  if (layers === undefined) throw malformed('manifest.layers', 'is missing')
  return compact({
    schemaVersion: 2 as const,
    mediaType,
    artifactType: fields.text('artifactType') || undefined,
    // Manifests of 2016 may leave the config's type empty.
    config: parseDescriptor(fields.get('config'), 'manifest.config', 'application/octet-stream'),
    layers: layers.map((layer, index) => parseDescriptor(layer, `manifest.layers[${index}]`)),
    subject: optionalDescriptor(fields, 'subject'),
    annotations: fields.textMap('annotations'),
  })
}

function readIndex(fields: Fields, mediaType: string): ImageIndex {
  const manifests = fields.list('manifests', INDEX_LIMIT)
  if (manifests === undefined) throw malformed('manifest.manifests', 'is missing')
  return compact({
    schemaVersion: 2 as const,
    mediaType,
    artifactType: fields.text('artifactType') || undefined,
    ...readEntries(manifests),
    subject: optionalDescriptor(fields, 'subject'),
    annotations: fields.textMap('annotations'),
  })
}

function optionalDescriptor(fields: Fields, name: string): Descriptor | undefined {
  return fields.has(name) ? parseDescriptor(fields.get(name), fields.path(name)) : undefined
}

/** One malformed entry does not invalidate an index: the others are read. An index without any readable entry is refused. */
function readEntries(entries: readonly unknown[]): Pick<ImageIndex, 'manifests' | 'unreadable'> {
  const manifests: Descriptor[] = []
  const objections: BaleError[] = []
  for (const [index, entry] of entries.entries()) {
    try {
      manifests.push(parseDescriptor(entry, `manifest.manifests[${index}]`))
    } catch (error) {
      if (!isBaleError(error)) throw error
      objections.push(error)
    }
  }
  if (manifests.length === 0 && objections[0]) throw objections[0]
  return { manifests, ...(objections.length > 0 && { unreadable: objections.map(({ message }) => message) }) }
}

/** Matches no machine; BuildKit marks its attestations this way. */
const UNKNOWN_PLATFORM: Platform = { os: 'unknown', architecture: 'unknown' }

/**
 * As written; compare with `matchPlatform`. A platform with only empty members counts as none. An invalid one (values that
 * could be a path or an escape sequence, a member of a wrong type) matches no machine; the raw bytes keep it.
 */
function readPlatform(value: unknown, path: string): Platform | undefined {
  if (value === undefined || value === null) return undefined
  try {
    return writtenPlatform(new Fields(value, path))
  } catch (error) {
    if (!isBaleError(error, 'INVALID_MANIFEST')) throw error
    return UNKNOWN_PLATFORM
  }
}

function writtenPlatform(fields: Fields): Platform | undefined {
  const os = fields.text('os') ?? ''
  const architecture = fields.text('architecture') ?? ''
  const variant = fields.text('variant') ?? ''
  if (os === '' && architecture === '') return undefined
  const words = [os, architecture, ...(variant === '' ? [] : [variant])]
  if (!words.every(isPlatformComponent)) return UNKNOWN_PLATFORM
  const features = fields.texts('os.features')
  return compact<Platform>({
    os,
    architecture,
    variant: variant || undefined,
    'os.version': fields.text('os.version') || undefined,
    'os.features': features?.length ? features : undefined,
  })
}

/** OCI documents may leave mediaType out; then the announced one counts, then the shape. */
function mediaTypeOf(fields: Fields, announced: string | undefined): string {
  const written = fields.text('mediaType') || undefined
  const expected = announced === undefined ? undefined : announced.split(';')[0]!.trim()
  const known = expected !== undefined && (isIndexType(expected) || isManifestType(expected))
  if (written !== undefined && known && written !== expected) {
    throw malformed('manifest.mediaType', `is ${printable(written, 120)}, but it was announced as ${expected}`)
  }
  const mediaType = written ?? (known ? expected : shapeOf(fields))
  if (mediaType === undefined || !(isIndexType(mediaType) || isManifestType(mediaType))) {
    throw malformed('manifest.mediaType', `is not an image manifest or index: "${printable(mediaType ?? '', 120)}"`)
  }
  return mediaType
}

function shapeOf(fields: Fields): string {
  if (fields.has('manifests')) return MediaType.ociIndex
  return MediaType.ociManifest
}

function checkMediaType(text: string | undefined, path: string): string {
  if (text !== undefined && MEDIA_TYPE.test(text)) return text
  throw malformed(path, `is not a media type: "${printable(text ?? '', 120)}"`)
}

function both(): BaleError {
  return malformed('manifest', 'claims to be an image manifest and an index at once')
}

function refuseSchema1(fields: Fields): void {
  if (fields.get('schemaVersion') !== 1) return
  throw new BaleError('INVALID_MANIFEST', 'manifest is of docker schema version 1, which is no longer supported', {
    hint: 'push the image again with a client newer than 2016, or ask its publisher for an OCI image',
  })
}
