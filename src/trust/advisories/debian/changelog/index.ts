/**
 * trust/advisories/debian/changelog: the CVE ids that the changelogs of source packages name. Promises: what is fetched
 * and unpacked is bounded; nothing of a package is written or run. Does not: judge whether an id that is named was
 * fixed: a few are named for other reasons.
 */
export type { ChangelogEntry } from './changelog.ts'
export { type ChangelogOptions, type InstalledSource, type ReadChangelogs, readChangelogs } from './read-changelogs.ts'
export { CHANGELOGS } from './source-changelogs.ts'
