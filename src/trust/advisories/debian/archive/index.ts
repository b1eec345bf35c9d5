/**
 * trust/advisories/debian/archive: the newest version of each source package that a release has, from its mirrors.
 * Promises: an index counts when a key of the machine has signed it, and its bytes are what it announces; it is kept,
 * and never replaced by an older one. Does not: say what a version fixes.
 */
export { fetchVerified } from './fetch-file.ts'
export { GPGV } from './gpgv.ts'
export { defaultKeyPlaces, type KeyPlaces } from './keyrings.ts'
export { type Archives, loadArchives } from './load-archives.ts'
export type { MirrorContext } from './mirror-context.ts'
export { isNewer } from './newer.ts'
export { type NewestVersion, newestVersion } from './newest-version.ts'
export type { DebFile } from './packages-index.ts'
