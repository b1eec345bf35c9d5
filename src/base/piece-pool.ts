/**
 * Memory for the pieces of one stream, used again: new memory costs as much as what is done with it. Whoever reads a piece gives
 * it back when nobody looks at it any more; one that is not given back is collected like any other.
 */
export interface PiecePool {
  /** Bytes of each piece. */
  readonly size: number
  take(): Uint8Array<ArrayBuffer>
  /** Whether it is a piece, or a part of one, that was taken and not given back. */
  isTaken(bytes: Uint8Array): boolean
  /** A piece, or the part of it that was filled. Other memory is left alone. */
  giveBack(bytes: Uint8Array): void
}

/** An empty pool: memory is made when a piece is taken and none was given back. `size` is in bytes. */
export function createPiecePool(size: number): PiecePool {
  const idle: ArrayBuffer[] = []
  const taken = new WeakSet<ArrayBufferLike>()
  return {
    size,
    take() {
      const memory = idle.pop() ?? new ArrayBuffer(size)
      taken.add(memory)
      return new Uint8Array(memory)
    },
    isTaken: ({ buffer }) => taken.has(buffer),
    giveBack({ buffer }) {
      if (taken.delete(buffer)) idle.push(buffer as ArrayBuffer)
    },
  }
}
