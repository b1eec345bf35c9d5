/** Bytes under keys that the registry makes up; what they mean is written in the MetaStore. Keys are never used twice. */
export interface ObjectStore {
  /**
   * Continues writing an object after its first `offset` bytes; anything an interrupted writer left there is cut
   * off. With offset 0 the object begins. Throws when the object has fewer bytes than `offset`.
   */
  append(key: string, offset: number): Promise<ObjectAppender>
  /** Bytes [start, end). Nothing is opened before the first chunk is requested. */
  read(key: string, range?: { start?: number; end?: number }): AsyncIterable<Uint8Array>
  /** Undefined when there is no such object. */
  size(key: string): Promise<number | undefined>
  /** Deleting an absent object succeeds. */
  delete(key: string): Promise<void>
  /** `modified` is in milliseconds since 1970. */
  list(): AsyncIterable<{ key: string; size: number; modified: number }>
}

export interface ObjectAppender extends AsyncDisposable {
  write(chunk: Uint8Array): Promise<void>
  /** Once fulfilled, the bytes survive power loss. Call it before any row refers to them. */
  sync(): Promise<void>
}
