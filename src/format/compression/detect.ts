/** How a stream is compressed. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2'

/** Number of bytes that `detectCompression` needs. */
export const DETECTION_BYTES = 6

/** Detects the compression from the first bytes (fewer only when the stream is shorter). Unknown bytes are 'none'. */
export function detectCompression(first: Uint8Array): Compression {
  if (startsWith(first, [0x1f, 0x8b, 0x08])) return 'gzip'
  if (startsWith(first, [0x28, 0xb5, 0x2f, 0xfd])) return 'zstd'
  // A skippable frame may come first: 184D2A50 to 184D2A5F, little endian.
  if ((first[0]! & 0xf0) === 0x50 && startsWith(first.subarray(1), [0x2a, 0x4d, 0x18])) return 'zstd'
  if (startsWith(first, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return 'xz'
  if (startsWith(first, [0x42, 0x5a, 0x68]) && first[3]! >= 0x31 && first[3]! <= 0x39) return 'bzip2'
  return 'none'
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte)
}

/**
 * Reads just enough of a stream to detect its compression, and returns the complete stream. The result must be consumed or
 * returned like the stream itself.
 */
export async function detectStream(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ compression: Compression; stream: AsyncIterable<Uint8Array> }> {
  const iterator = stream[Symbol.asyncIterator]()
  const seen: Uint8Array[] = []
  let length = 0
  while (length < DETECTION_BYTES) {
    const { done, value } = await iterator.next()
    if (done) break
    seen.push(Buffer.from(value))
    length += value.length
  }
  return { compression: detectCompression(Buffer.concat(seen)), stream: rejoined(seen, iterator) }
}

async function* rejoined(seen: Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* seen
    for (;;) {
      const { done, value } = await iterator.next()
      if (done) return
      yield value
    }
  } finally {
    await iterator.return?.()
  }
}
