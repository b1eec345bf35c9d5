/** Where a layer image is written: positions are absolute, gaps read as zeros. */
export interface RandomSink {
  writeAt(position: number, bytes: Uint8Array): void | Promise<void>
}

/** Where the split goes, in order. */
export interface Sink {
  write(bytes: Uint8Array): void | Promise<void>
}
