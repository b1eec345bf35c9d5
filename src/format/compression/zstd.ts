import { constants, createZstdCompress } from 'node:zlib'
import type { PiecePool } from '#base'
import { readAhead } from './read-ahead.ts'
import { through } from './through.ts'

/** How zstd is written. */
export interface ZstdOptions {
  /** 1 … 19. */
  level?: number
  /** Where the source's chunks come from: they are given back. */
  pieces?: PiecePool
}

const DEFAULT_ZSTD_LEVEL = 3

/** What decides the bytes besides the input: for the record of a blob that was compressed here. */
export function zstdEncoder({ level = DEFAULT_ZSTD_LEVEL }: ZstdOptions = {}): string {
  return `zstd ${process.versions['zstd']} level ${level}`
}

/**
 * Compresses into one zstd frame with a checksum; the bytes depend on the input, the level and Node's zstd only. While a chunk
 * is compressed on another thread, the next one is asked for.
 */
export function zstdStream(
  source: AsyncIterable<Uint8Array>,
  { level = DEFAULT_ZSTD_LEVEL, pieces }: ZstdOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const transform = createZstdCompress({
    chunkSize: 256 * 1024,
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  })
  return through(readAhead(source), transform, {
    translate: (error) => error,
    taken: (chunk) => pieces?.giveBack(chunk),
  })
}
