/** registry/pattern: names of repositories by patterns. Promises: bounded work for any pattern. Does not: know who uses them. */
export { boundsOf, checkPattern, firstPart, isPattern, matchesPattern, rangeOf } from './pattern.ts'
