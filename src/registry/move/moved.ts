import type { Digest } from '#spec'

/** How a registry is moved. */
export interface MoveOptions {
  signal?: AbortSignal
  /** Told when changes are refused from now on: pushes get 503 until clients come to the new place. */
  frozen?: () => void
}

/** What a move brought. */
export interface Moved {
  blobs: number
  /** Of blobs that were copied by this run. */
  bytes: number
  /** Blobs whose bytes were missing or wrong: they are lost until somebody pushes them again. */
  damaged: Digest[]
  /** Milliseconds in which no change was accepted. */
  frozenFor: number
}
