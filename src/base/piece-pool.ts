/**
 * Reuses the memory of a stream's pieces, because allocating it costs as much as the work done with it. The consumer gives a
 * piece back when it no longer needs it; a piece that is not given back is garbage-collected as usual.
 */
export interface PiecePool {
  take(): Uint8Array<ArrayBuffer>
  /** True for a piece, or part of one, that was taken from this pool and not given back. */
  isTaken(bytes: Uint8Array): boolean
  /** Accepts a piece or part of one, and ignores memory from elsewhere. */
  giveBack(bytes: Uint8Array): void
}

/** A pool of pieces of `size` bytes. It allocates when a piece is taken and none was given back. */
export function createPiecePool(size: number): PiecePool {
  const idle: ArrayBuffer[] = []
  const taken = new WeakSet<ArrayBufferLike>()
  return {
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
