/** Where an image is written: positions are absolute; what is never written reads as zeros. */
export interface RandomSink {
  /** The bytes may be reused by the caller as soon as the call (or its promise) is done. */
  writeAt(position: number, bytes: Uint8Array): void | Promise<void>
}

/** Where an image is read from. */
export interface RandomSource {
  /**
   * Exactly `length` bytes, or fewer when the source ends before them. `memory`, of at least so many bytes, may be used for them:
   * then they are the beginning of it.
   */
  readAt(position: number, length: number, memory?: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** Bytes in order, one call after the other. */
export interface Sink {
  write(bytes: Uint8Array): void | Promise<void>
}
