/**
 * trust/versions: which of two versions of a package is newer, by the rules of its ecosystem, and whether a version lies in
 * a range of an advisory. Promises: pure functions that never throw, in time linear in the text; numbers of any length are
 * compared exactly; what is no version of the scheme is undefined or "unknown", never a guess. Does not: read constraints
 * (`^1.2`, `>=1, <2`), correct or normalise versions, choose the scheme of a package.
 */
export { comparatorOf, compareVersions, isVersion, type Scheme } from './compare-versions.ts'
export { inRange } from './in-range.ts'
export type { Compare } from './version-scheme.ts'
