import { BaleError } from './error.ts'

/** Collects a stream of at most `limit` bytes; LIMIT_EXCEEDED beyond, with `what` in the message. */
export async function readAll(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { limit: number; what?: string },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > options.limit) {
      throw new BaleError('LIMIT_EXCEEDED', `${options.what ?? 'input'} is larger than ${options.limit} bytes`)
    }
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : joined(chunks, size)
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
