import { constants, createGunzip, createZstdDecompress } from 'node:zlib'
import { BaleError } from '#base'
import { compressionError } from './compression-error.ts'
import type { DeflateLibrary } from './deflate-library.ts'
import { type Compression, detectStream } from './detect.ts'
import { decompressExternally } from './external.ts'
import { gunzip } from './gunzip.ts'
import { readAhead } from './read-ahead.ts'
import { through } from './through.ts'
import { WINDOW_LOG_MAX, ZstdFrames } from './zstd-frames.ts'

/** How a stream is decompressed. */
interface DecompressionOptions {
  limits?: Partial<DecompressionLimits>
  /** Inflates gzip in place of zlib. */
  library?: DeflateLibrary
  /** What comes out is valid until the next chunk is asked for only: memory may be used again. */
  lend?: boolean
  signal?: AbortSignal
}

/** Limits for the output of one stream (T22). */
export interface DecompressionLimits {
  /** Bytes that come out. */
  outputBytes: number
  /** Output bytes per input byte, checked from 64 MiB on. Zeros compress 1030:1 with gzip and about 30000:1 with zstd. */
  ratio: number
}

const defaultDecompressionLimits: Readonly<DecompressionLimits> = Object.freeze({
  outputBytes: 2 ** 40,
  ratio: 40_000,
})

const RATIO_FROM = 64 * 1024 * 1024

/**
 * Measured: 1 MiB gives 441 MB/s, 256 KiB 389 in less memory, 16 KiB (Node's default) 218. Two more are made while the
 * caller works on one.
 */
const CHUNK = 512 * 1024
const TRANSFORM = { chunkSize: CHUNK, readableHighWaterMark: 2 * CHUNK, writableHighWaterMark: CHUNK }

/**
 * Decompresses a stream. Gzip may have many members and trailing zeros; zstd many frames; any other trailing data,
 * a wrong checksum and an early end throw INVALID_COMPRESSION, too much output LIMIT_EXCEEDED. gzip and zstd are inflated
 * on libuv's threads, so the caller's thread is free to hash meanwhile; xz and bzip2 by a child process (UNSUPPORTED_HOST
 * when the program is missing). Errors of the source come through as they are. Ending early stops everything.
 *
 * Chunks of the source must not be reused by their maker.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  kind: Compression,
  options: DecompressionOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const limits = { ...defaultDecompressionLimits, ...options.limits }
  let read = 0
  let made = 0
  async function* counted() {
    for await (const chunk of source) {
      options.signal?.throwIfAborted()
      read += chunk.length
      yield chunk
    }
  }
  for await (const bytes of inflate(counted(), kind, options)) {
    options.signal?.throwIfAborted()
    made += bytes.length
    if (made > limits.outputBytes) throw tooLarge(kind, `becomes larger than ${limits.outputBytes} bytes`)
    if (made > RATIO_FROM && made > read * limits.ratio)
      throw tooLarge(kind, `becomes more than ${limits.ratio} times as large`)
    yield bytes
  }
}

function tooLarge(kind: Compression, what: string): BaleError {
  return new BaleError('LIMIT_EXCEEDED', `a ${kind} stream ${what}: it may be crafted to fill the disk`)
}

function inflate(
  source: AsyncIterable<Uint8Array>,
  kind: Compression,
  { library, lend }: DecompressionOptions,
): AsyncIterable<Uint8Array> {
  switch (kind) {
    case 'none':
      return source
    case 'gzip':
      return library ? readAhead(gunzip(source, library, { lend })) : gunzipByZlib(source)
    case 'zstd':
      return unzstd(source)
    case 'xz':
    case 'bzip2':
      return decompressExternally(source, kind)
  }
}

function gunzipByZlib(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const transform = createGunzip(TRANSFORM)
  return through(source, transform, {
    translate: translation('gzip'),
    // Node's gunzip ends silently at the first zero byte after a member.
    leftover: {
      consumed: () => transform.bytesWritten,
      check: (bytes) => {
        if (bytes.some((byte) => byte !== 0)) throw compressionError('gzip', 'has trailing data after its end')
      },
    },
  })
}

function unzstd(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const transform = createZstdDecompress({
    ...TRANSFORM,
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
  })
  return through(framewise(source), transform, { translate: translation('zstd') })
}

async function* framewise(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames()
  for await (const chunk of source) yield* frames.cut(chunk)
  frames.end()
}

function translation(kind: Compression): (error: Error) => Error {
  return (error) => {
    if (error instanceof BaleError) return error
    const early = (error as { code?: string }).code === 'Z_BUF_ERROR'
    return compressionError(kind, early ? 'ends early' : `is damaged: ${error.message}`, error)
  }
}

/** Decompresses according to the first bytes; uncompressed streams pass through unchanged. */
export async function* decompressAny(
  source: AsyncIterable<Uint8Array>,
  options: DecompressionOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { compression, stream } = await detectStream(source)
  yield* decompress(stream, compression, options)
}
