import type { Digest } from '#spec'

/** What garbage collection removed. */
export interface Collected {
  layers: Digest[]
  blobs: Digest[]
  /** Configs without a manifest. */
  documents: Digest[]
  /** Names in tmp/, and folders and files without a row. */
  leftovers: string[]
  /** Bytes on disk. */
  freed: number
}
