/**
 * trust/advisories/debian/sources: where this machine's apt takes packages from. Promises: both forms of sources are
 * read as apt reads them; what apt would pass over is left out. Does not: ask any of the places.
 */
export type { AptSource, SignedBy } from './apt-sources.ts'
export { parseControl } from './control.ts'
export { type ArchiveKind, type AskedSuite, type MirrorPlace, mirrorPlaces, suitesOf } from './mirror-places.ts'
export { APT_DIRECTORY, readAptSources } from './read-apt-sources.ts'
