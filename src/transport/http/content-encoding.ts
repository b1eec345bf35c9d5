import { promisify } from 'node:util'
import {
  brotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  gunzip,
  inflate,
  zstdDecompress,
} from 'node:zlib'
import { BaleError } from '#base'

const decoders = {
  gzip: { whole: promisify(gunzip), stream: createGunzip },
  'x-gzip': { whole: promisify(gunzip), stream: createGunzip },
  deflate: { whole: promisify(inflate), stream: createInflate },
  br: { whole: promisify(brotliDecompress), stream: createBrotliDecompress },
  zstd: { whole: promisify(zstdDecompress), stream: createZstdDecompress },
}

function decoderOf(encoding: string | undefined) {
  const name = encoding?.trim().toLowerCase()
  return name !== undefined && Object.hasOwn(decoders, name) ? decoders[name as keyof typeof decoders] : undefined
}

/** True for a Content-Encoding that can be undone. */
export function isEncoded(encoding: string | undefined): boolean {
  return decoderOf(encoding) !== undefined
}

/**
 * A document without its Content-Encoding. Servers and proxies compress unasked, and some set the header
 * on an uncompressed document; JSON and HTML never begin like a compressed stream, so the two can be distinguished.
 */
export async function decodedBytes(
  bytes: Buffer,
  encoding: string | undefined,
  limit: number,
  tooLarge: () => BaleError,
): Promise<Buffer> {
  const decoder = decoderOf(encoding)
  if (!decoder || /^\s*[[{<"]/.test(bytes.subarray(0, 64).toString('latin1'))) return bytes
  try {
    return await decoder.whole(bytes, { maxOutputLength: limit })
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new BaleError('INVALID_COMPRESSION', `an answer with Content-Encoding ${encoding} is damaged`, {
      cause: error,
    })
  }
}

/** A body without its Content-Encoding, as it comes. */
export async function* decodedStream(
  body: AsyncIterable<Uint8Array>,
  encoding: string | undefined,
): AsyncGenerator<Uint8Array> {
  const decoder = decoderOf(encoding)
  if (!decoder) return yield* body
  const { pipeline, Readable } = await import('node:stream')
  const decoding = decoder.stream()
  // A failure on either side ends the other; the reader gets it thrown.
  pipeline(Readable.from(body, { objectMode: false }), decoding, () => undefined)
  try {
    yield* decoding as AsyncIterable<Uint8Array>
  } catch (error) {
    if (error instanceof BaleError || !/^(?:Z_|ERR_|ZSTD)/.test(String((error as { code?: unknown }).code))) throw error
    throw new BaleError('INVALID_COMPRESSION', `a body with Content-Encoding ${encoding} is damaged`, { cause: error })
  }
}
