/**
 * spec: the specifications' documents as immutable values. Digest, descriptor, reference, platform, media types; OCI
 * image documents and docker's JSON: parse, validate, write. Promises: pure functions, no `node:` import, text is
 * parsed once at the edge and trusted inside. Does not: hash, read files, talk to anyone.
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
export { isConfigType, isIndexType, isManifestType, layerCompression, MediaType } from './media-types.ts'
export type { Platform } from './platform.ts'
