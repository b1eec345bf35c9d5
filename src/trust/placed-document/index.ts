/**
 * trust/placed-document: files of YAML that people write, as values that know where they stand. Promises: all mistakes of a file at
 * once, each with its place; no aliases. Does not: know what a file means.
 */
export { type Fault, type Key, PlacedDocument } from './placed-document.ts'
