/**
 * trust/placed-document: YAML files that people write, as values whose places are known. Promises: all mistakes of a file at
 * once, each with its place; no aliases. Does not: know what a file means.
 */
export { faultOf } from './fault-of.ts'
export { type Fault, type Key, PlacedDocument } from './placed-document.ts'
