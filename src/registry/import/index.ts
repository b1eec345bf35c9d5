/**
 * registry/import: takes over what another registry keeps in its files. Promises: bytes are hashed on their way, nothing
 * outside of the source's directory is read, and it may be broken off and begun again. Does not: write to the source.
 */
export { type Imported, type ImportOptions, importFrom, type Tally } from './import-from.ts'
