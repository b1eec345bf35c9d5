/**
 * Inflates and deflates in place of zlib. This room knows no native code: a library is given in by whoever has one
 * (`openIsal` of #host/isal fits), and what is read and written is the same gzip by the same rules with it and without.
 */
export interface DeflateLibrary {
  /** Name and version, and whatever else decides the bytes that are written. */
  readonly name: string
  inflater(): Inflater
  /**
   * Bare deflate blocks of at most 1 MiB of input, ended on a byte border (a sync flush); `dictionary` is the end of the
   * block before. The bytes depend on the two and on `name` only. May be called again before it is done.
   */
  deflate(block: Uint8Array, dictionary: Uint8Array | undefined): Promise<Uint8Array>
}

/** Inflates bare deflate streams (RFC 1951), one after the other, from its own memory to its own memory. */
export interface Inflater {
  /** Where the caller puts what is to be inflated. */
  readonly input: Uint8Array
  /** Where bytes come out. */
  readonly output: Uint8Array
  /** From now on it belongs to the caller, and another is there. */
  takeOutput(): Uint8Array
  /** An output that was taken and is not needed any more. */
  giveBack(output: Uint8Array): void
  start(): void
  /** CRC-32 of what came out since `start`. */
  readonly checksum: number
  /**
   * Inflates input[from, to) to output[begin, …) until either is used up or the stream `ended`: its first unused byte is
   * `at`, which may lie up to eight bytes before `from`. `here` works on the calling thread. Throws what is wrong.
   */
  inflate(from: number, to: number, begin: number, here: boolean): Promise<{ at: number; made: number; ended: boolean }>
}
