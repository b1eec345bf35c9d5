import type { Tally } from '../tally.ts'

/** A file of a source that holds one record (or, with some sources, all of them). */
export interface RecordFile {
  /** For messages only: it comes from an archive, and nothing is written under it. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** What is read of a folder or archive of records, and how much of it at most. */
export interface RecordOptions {
  readonly tally: Tally
  /** By its name; all by default. */
  wants?(name: string): boolean
  readonly limits?: Partial<RecordLimits>
  readonly signal?: AbortSignal
}

interface RecordLimits {
  /** Files of all kinds in the archive or folder. */
  readonly files: number
  /** Bytes of one record; a larger one is skipped. Real ones have at most a few MiB, Red Hat's documents ten times as much. */
  readonly recordBytes: number
  /** Bytes of all that is read, uncompressed. Ubuntu's, the largest export, has some 20 GiB. */
  readonly totalBytes: number
}

export const defaultRecordLimits: RecordLimits = Object.freeze({
  files: 4_000_000,
  recordBytes: 16 * 2 ** 20,
  totalBytes: 64 * 2 ** 30,
})
