/**
 * format/tar: tar archives as bytes. Promises: a scanner that reads what docker, GNU tar and bsdtar write (v7, ustar, GNU,
 * PAX, sparse), reports every byte in order, and refuses what two readers could interpret differently; a writer whose bytes
 * depend on the entries only; one interpretation of names and whiteouts for all readers of layers. Does not: touch files, decompress.
 */
export type { TarEntry } from './entry.ts'
export type { TarLimits } from './limits.ts'
export { type PackedEntry, packTar } from './pack.ts'
export { type PackAtOnceOptions, packTarAtOnce, type ReadyEntry } from './pack-at-once.ts'
export { type PieceEntry, packTarInPieces } from './pack-in-pieces.ts'
export { type Change, changeOf, linkTargetOf, normalisePath, parseWhiteout, type Whiteout } from './path.ts'
export {
  createTarScanner,
  type TarHandlers,
  type TarPosition,
  type TarScanner,
  type TarScannerOptions,
} from './scanner.ts'
export { quoted as quotedName, tarError } from './tar-error.ts'
export { type FileBytes, PIECE_SIZE } from './tar-pieces.ts'
export { createWalkBound, type WalkBound } from './walk-bound.ts'
export { type NewTarEntry, tarHeader, tarPadding, tarTrailer } from './writer.ts'
