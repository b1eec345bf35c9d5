/**
 * trust/zip: zip archives by their directory, read in place. Promises: entries as they are written, none of whose names is ever
 * used as a path; the directory is read ahead. Does not: inflate, or bound anything (its callers do).
 */
export { openZip } from './open-zip.ts'
export { type ReadAhead, readingAhead } from './read-ahead.ts'
