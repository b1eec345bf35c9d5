import { BaleError, printable } from '#base'
import { artifactTypeOf, describe, type RawManifest, type ReadManifest } from '#image'
import {
  type Descriptor,
  type Digest,
  encodeDocument,
  type ImageManifest,
  isDigest,
  MediaType,
  parseStrictJson,
} from '#spec'
import { unknownSchema } from '../file/bundle-error.ts'
import type { BundleInfo } from '../file/bundle-info.ts'
import { SCHEMA_VERSION } from '../file/schema.ts'

/** What a registry shows the artifact as. The number grows when a bale of today could not read the layer any more. */
const BUNDLE_TYPE = 'application/vnd.bale.advisories.v1'
const CONFIG_TYPE = 'application/vnd.bale.advisories.config.v1+json'
export const LAYER_TYPE = 'application/vnd.bale.advisories.v1.sqlite+zstd'
const ANY_BUNDLE = /^application\/vnd\.bale\.advisories\.v(\d{1,6})$/

/** What the config says of the layer. */
export interface BundleConfig extends Pick<BundleInfo, 'schema' | 'created' | 'advisories'> {
  readonly version: Digest
  /** Bytes of the file, uncompressed. */
  readonly size: number
}

/** The documents of an artifact; the same bundle and layer give the same bytes. */
interface BundleDocuments {
  readonly config: { readonly descriptor: Descriptor; readonly bytes: Uint8Array }
  readonly manifest: RawManifest
}

export function makeBundleDocuments(info: BundleInfo, size: number, layer: Descriptor): BundleDocuments {
  const { schema, created, version, advisories, sources } = info
  const configBytes = encodeDocument({ schema, created, version, advisories, size, sources })
  const configDescriptor = describe(configBytes, CONFIG_TYPE)
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType: BUNDLE_TYPE,
    config: configDescriptor,
    layers: [layer],
    annotations: { 'org.opencontainers.image.created': created },
  }
  const bytes = encodeDocument(manifest)
  return {
    config: { descriptor: configDescriptor, bytes: configBytes },
    manifest: { bytes, descriptor: { ...describe(bytes, MediaType.ociManifest), artifactType: BUNDLE_TYPE } },
  }
}

/** Config and layer of a manifest. Throws UNSUPPORTED for another kind of artifact and for a later kind of bundle. */
export function bundleParts(read: ReadManifest, name: string): { config: Descriptor; layer: Descriptor } {
  const type = read.kind === 'index' ? 'an index of several' : artifactTypeOf(read.manifest)
  const version = ANY_BUNDLE.exec(type)?.[1]
  if (version !== undefined && type !== BUNDLE_TYPE) throw unknownSchema(name, Number(version), SCHEMA_VERSION)
  if (read.kind === 'index' || type !== BUNDLE_TYPE) {
    throw new BaleError('UNSUPPORTED', `${printable(name)} is no bundle of advisories, but ${printable(type, 120)}`, {
      details: { artifactType: type },
    })
  }
  const { config, layers } = read.manifest
  const [layer, ...others] = layers
  if (config.mediaType !== CONFIG_TYPE || layer?.mediaType !== LAYER_TYPE || others.length > 0)
    throw new BaleError('INVALID_MANIFEST', `${printable(name)}: a bundle of advisories has one config and one layer`)
  return { config, layer }
}

/** Bytes; the list of sources has some ten kilobytes. */
export const CONFIG_LIMIT = 1024 * 1024

/** Reads a config whose digest is checked. Throws UNSUPPORTED for another schema, INVALID_MANIFEST for a malformed one. */
export function readBundleConfig(bytes: Uint8Array, name: string): BundleConfig {
  const value = parseStrictJson(bytes, { limit: CONFIG_LIMIT, what: 'the config of a bundle of advisories' })
  const { schema, created, version, advisories, size } = (value ?? {}) as Record<string, unknown>
  if (!isCount(schema)) throw malformed(name, 'has no schema')
  if (schema !== SCHEMA_VERSION) throw unknownSchema(name, schema, SCHEMA_VERSION)
  if (typeof created !== 'string' || Number.isNaN(Date.parse(created))) throw malformed(name, 'has no time of creation')
  if (typeof version !== 'string' || !isDigest(version)) throw malformed(name, 'has no version')
  if (!isCount(advisories) || !isCount(size)) throw malformed(name, 'does not say how large it is')
  return { schema, created, version: version as Digest, advisories, size }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function malformed(name: string, reason: string): BaleError {
  return new BaleError('INVALID_MANIFEST', `the bundle of advisories ${printable(name)} ${reason}`)
}
