/**
 * trust/advisories/debian/releases: which release an image is of, and until when it has updates. Promises: what this
 * machine has no data on is undefined. Does not: fetch anything.
 */
export { type DebianRelease, debianRelease } from './debian-release.ts'
export { readDebianSupport } from './debian-support.ts'
