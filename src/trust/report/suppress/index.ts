/**
 * trust/report/suppress: which findings of a scan do not count, by ignore files and by VEX documents. Promises: pure; a finding that does
 * not count stays in the list, with the reason; all mistakes of an ignore file at once. Does not: read files, fetch
 * documents, compare ranges of versions.
 */
export { parseIgnoreFile } from './ignore-file.ts'
export { suppress } from './suppress.ts'
export { parseVex } from './vex.ts'
