import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { constants, crc32, deflateRaw } from 'node:zlib'
import { createPiecePool, type PiecePool } from '#base'
import type { DeflateLibrary } from './deflate-library.ts'

const deflate = promisify<Uint8Array, object, Buffer>(deflateRaw)

/** Fixed, since they decide the bytes: a block is compressed by itself, with the end of the one before as dictionary. */
export const PIECE_BYTES = 1024 * 1024
const DICTIONARY = 32 * 1024
/** Twice as fast as 6 and 1 % larger (docs/performance.md). */
const DEFAULT_GZIP_LEVEL = 4

/** How gzip is written. */
export interface GzipOptions {
  /** 1 … 9, of zlib. */
  level?: number
  /** Deflates in place of zlib, by its own level. */
  library?: DeflateLibrary
  /** Blocks in work at the same time, on libuv's threads; by default one more than cores. The bytes do not depend on it. */
  workers?: number
  /** Where the source's chunks come from: they are given back, and whole ones are not copied. Of PIECE_BYTES. */
  pieces?: PiecePool
  signal?: AbortSignal
}

/**
 * Compresses with several threads into one ordinary gzip member, as pigz does. The bytes depend on the input and on what
 * `gzipEncoder` names only: not on how the input is cut, nor on `workers`. No name and no time are stored.
 */
export async function* gzipParallel(
  source: AsyncIterable<Uint8Array>,
  {
    level = DEFAULT_GZIP_LEVEL,
    library,
    workers = availableParallelism() + 1,
    pieces = createPiecePool(PIECE_BYTES),
    signal,
  }: GzipOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  yield header(library ? 1 : level)
  let checksum = 0
  let length = 0
  let dictionary: Uint8Array | undefined
  const running: { block: Uint8Array; packed: Promise<Uint8Array> }[] = []
  const oldest = async () => {
    const { block, packed } = running.shift()!
    const bytes = await packed
    pieces.giveBack(block)
    return bytes
  }
  try {
    for await (const block of blocks(source, pieces)) {
      signal?.throwIfAborted()
      checksum = crc32(block, checksum)
      length += block.length
      const packed = library ? library.deflate(block, dictionary) : compressBlock(block, level, dictionary)
      // Awaited later, in order; a failure in between must not count as unhandled.
      packed.catch(() => undefined)
      running.push({ block, packed })
      // A copy: the block is used again before the next one is done with it.
      dictionary = new Uint8Array(block.subarray(-DICTIONARY))
      if (running.length >= workers) yield await oldest()
    }
    while (running.length > 0) yield await oldest()
  } finally {
    await Promise.allSettled(running.map(({ packed }) => packed))
  }
  yield trailer(checksum, length)
}

/** What decides the bytes besides the input: the encoder's name, version and level. */
export function gzipEncoder({ level = DEFAULT_GZIP_LEVEL, library }: GzipOptions = {}): string {
  return library?.name ?? `zlib ${process.versions.zlib} level ${level}`
}

/** The same bytes, one block at a time. */
export function gzipStream(
  source: AsyncIterable<Uint8Array>,
  options: Omit<GzipOptions, 'workers'> = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  return gzipParallel(source, { ...options, workers: 1 })
}

/** A sync flush ends each block on a byte border, so that blocks can be concatenated. */
function compressBlock(block: Uint8Array, level: number, dictionary: Uint8Array | undefined): Promise<Buffer> {
  return deflate(block, {
    level,
    dictionary,
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: PIECE_BYTES + 64 * 1024,
  })
}

/** RFC 1952: no flags, no time, unknown system. */
function header(level: number): Buffer {
  return Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, level === 9 ? 2 : level === 1 ? 4 : 0, 255])
}

/** An empty last block, then checksum and length modulo 2^32. */
function trailer(checksum: number, length: number): Buffer {
  const bytes = Buffer.from([0x03, 0x00, 0, 0, 0, 0, 0, 0, 0, 0])
  bytes.writeUInt32LE(checksum, 2)
  bytes.writeUInt32LE(length % 2 ** 32, 6)
  return bytes
}

async function* blocks(source: AsyncIterable<Uint8Array>, pieces: PiecePool): AsyncGenerator<Uint8Array> {
  let block = pieces.take()
  let filled = 0
  for await (const chunk of source) {
    if (filled === 0 && chunk.length === PIECE_BYTES && pieces.isTaken(chunk)) {
      yield chunk
      continue
    }
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + PIECE_BYTES - filled)
      block.set(piece, filled)
      filled += piece.length
      at += piece.length
      if (filled < PIECE_BYTES) break
      yield block
      block = pieces.take()
      filled = 0
    }
    pieces.giveBack(chunk)
  }
  if (filled > 0) yield block.subarray(0, filled)
}
