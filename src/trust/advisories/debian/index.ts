/**
 * trust/advisories/debian: what a machine's own Debian mirrors say of updates, and how long a release has them.
 * Promises: nothing counts that a key of the machine has not signed, unless the caller allows it; what was fetched is
 * kept, and used while a mirror does not answer; what is missing is told in the coverage. Does not: know
 * vulnerabilities without an update, use apt's own copies of indexes, read mirrors without a URL.
 */
export { openDebianMirror } from './open-debian-mirror.ts'
export { debianRelease, readDebianSupport } from './releases/index.ts'
export { readAptSources } from './sources/index.ts'
