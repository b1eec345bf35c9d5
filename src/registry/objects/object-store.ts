/** Bytes under keys that the registry makes up; what they mean is written in the MetaStore. Keys are never used twice. */
export interface ObjectStore {
  /**
   * Goes on writing an object behind its first `offset` bytes; what an earlier, interrupted writer put there is cut
   * off. With offset 0 the object begins. Throws when the object has fewer bytes than `offset`.
   */
  append(key: string, offset: number): Promise<ObjectAppender>
  /** Bytes [start, end). Nothing is held open before the first chunk is asked for. */
  read(key: string, range?: { start?: number; end?: number }): AsyncIterable<Uint8Array>
  /** Deleting what is not there is success. */
  delete(key: string): Promise<void>
  list(): AsyncIterable<{ key: string; size: number }>
}

export interface ObjectAppender extends AsyncDisposable {
  write(chunk: Uint8Array): Promise<void>
  /** What was written survives power loss once this is fulfilled. To be called before any row speaks of the bytes. */
  sync(): Promise<void>
}
