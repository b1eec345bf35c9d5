/**
 * spec: the specifications' documents as immutable values. Digest, descriptor, reference, platform, media types; OCI
 * image documents and docker's JSON: parse, validate, write. Promises: pure functions, no `node:` import, text is
 * parsed once at the edge and trusted inside. Does not: hash, read files, use the network.
 */
export { algorithmOf, type Digest, hexOf, isDigest, parseDigest, shortId } from './digest.ts'
export type {
  ContainerConfig,
  Descriptor,
  Healthcheck,
  History,
  ImageConfig,
  ImageIndex,
  ImageManifest,
} from './documents.ts'
export {
  CONFIG_LIMIT,
  checkConfigMatches,
  historyObjection,
  parseContainerConfig,
  parseImageConfig,
  writtenPlatform,
} from './image-config.ts'
export { MANIFEST_LIMIT, type ParsedManifest, parseDescriptor, parseManifest } from './manifest.ts'
export {
  isConfigType,
  isDefaultedConfigType,
  isIndexType,
  isManifestType,
  layerCompression,
  MediaType,
  ociTypeOf,
} from './media-types.ts'
export {
  formatPlatform,
  hostPlatform,
  isPlatformComponent,
  matchPlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
  platformPreferences,
} from './platform.ts'
export {
  DEFAULT_REGISTRY,
  DEFAULT_TAG,
  familiarName,
  familiarRepository,
  fullName,
  type ImageName,
  imageName,
  isRepository,
  isTag,
  parseReference,
  parseReferenceOrDigest,
  type Reference,
  type RepoDigest,
  repositoryName,
  withDefaultTag,
  withDigest,
  withTag,
} from './reference.ts'
export { referrersTag } from './referrers-tag.ts'
export { encodeRegistryErrors, parseRegistryErrors, type RegistryError } from './registry-errors.ts'
export { parseSourceDateEpoch } from './source-date-epoch.ts'
export { encodeDocument, parseJson, parseStrictJson, type StrictJsonOptions } from './strict-json.ts'
