/**
 * Bytes under keys that the registry makes up (32 random hexadecimal digits); what they mean is written in the MetaStore.
 * Keys are never used twice. An object is written piece by piece, by one process after another, and can be read when it is
 * complete.
 */
export interface ObjectStore {
  /**
   * Goes on writing an object where `progress` ends; what an interrupted writer left behind that is not part of it. The
   * progress given here and to `complete` is recorded: what it replaces is deleted. Throws STORE_DAMAGED, here or at the
   * first write, when the object has fewer bytes than that. `record` is called before the store makes something that no
   * recorded state names: the progress given to it is no further than what is recorded, and names it.
   */
  append(key: string, progress: Progress, record: RecordProgress): Promise<ObjectAppender>
  /**
   * Makes an object of what was written up to `progress`, which can be read from then on. Returns its key: that of the
   * writing, or another. Called again after success, also by another process, it succeeds again; so does `append` of
   * nothing. STORE_DAMAGED when bytes are missing.
   */
  complete(key: string, progress: Progress): Promise<string>
  /**
   * Bytes [start, end) of a complete object. Nothing is opened before the first chunk is requested. An error with the code
   * ENOENT when there is no such object; bytes that break off are an error, never an end.
   */
  read(key: string, options?: ReadOptions): AsyncIterable<Uint8Array>
  /** Undefined when there is no such complete object. */
  size(key: string): Promise<number | undefined>
  /** Deleting an absent object succeeds. `state` is that of an object that was not completed. */
  delete(key: string, state?: string): Promise<void>
  /**
   * Every complete object, and perhaps what unfinished ones consist of: under the key of the writing, or under keys that
   * stand in its state, word for word. `modified` is in milliseconds since 1970.
   */
  list(): AsyncIterable<{ key: string; size: number; modified: number }>
}

/** A part of an object, in bytes: from `start` on (0 by default), and before `end` (its end by default). */
export interface ByteRange {
  start?: number
  end?: number
}

/** What is read of an object, and how its chunks are used. */
export interface ReadOptions extends ByteRange {
  /** A chunk need be valid only until the next one is asked for: the store may use its memory again. */
  reuse?: boolean
}

/** How far the writing of an object came. It is kept in a row; nothing that is safe is lost with a process. */
export interface Progress {
  /** Bytes that survive power loss. */
  offset: number
  /** The store's own notes about what is not complete yet; nobody else reads them. */
  state?: string
}

/** Puts a progress into the row before it returns, and throws when it cannot. */
export type RecordProgress = (progress: Progress) => Promise<void>

export const NOTHING_WRITTEN: Progress = { offset: 0 }

/** For what nobody goes on with: whatever a killed writer leaves behind is found by its place alone. */
export const IN_NO_ROW: RecordProgress = () => Promise.resolve()

/** Writes on an object. Dispose it: what was not synced is then not promised to be there. */
export interface ObjectAppender extends AsyncDisposable {
  /** The caller may use the chunk again once this is fulfilled. */
  write(chunk: Uint8Array): Promise<void>
  /**
   * What is safe already, or becomes so without being written twice: not more than `sync` would say. For streams that take
   * long.
   */
  checkpoint(): Promise<Progress>
  /** Makes all that was written safe. To be called before any row refers to it. */
  sync(): Promise<Progress>
}

/** A store whose objects can be read while they are written. */
export interface UnfinishedReader {
  /** Bytes [start, end) of an object that is being written, as with `reuse`; more than two mebibytes before the last one that was given to its appender. */
  readUnfinished(key: string, range: Required<ByteRange>): AsyncIterable<Uint8Array>
}

/** Whether a store is one of those. */
export function canReadUnfinished<T extends ObjectStore>(objects: T): objects is T & UnfinishedReader {
  return 'readUnfinished' in objects
}

/** A store that clients can read from themselves. */
export interface Presigner {
  /** An address that gives the bytes of a complete object to whoever has it, for so many seconds. */
  presign(key: string, seconds: number): Promise<string>
}
