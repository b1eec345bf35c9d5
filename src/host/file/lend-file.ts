import { open } from 'node:fs/promises'

/** Small enough to stay in a processor's cache between the read and what is done with it. */
const SIZE = 256 * 1024
/** Buffers that wait to be used again. */
const MOST = 64

const idle: Buffer[] = []

/**
 * The bytes [start, end) of a file, in memory that is used again: a chunk is valid until the next one is asked for. Reads
 * ahead by one chunk. The file is closed when the iteration ends, also early.
 */
export async function* lendFile(
  path: string,
  { start = 0, end = Number.POSITIVE_INFINITY, signal }: { start?: number; end?: number; signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array> {
  const handle = await open(path, 'r')
  const buffers = [idle.pop() ?? Buffer.allocUnsafeSlow(SIZE), idle.pop() ?? Buffer.allocUnsafeSlow(SIZE)]
  let position = start
  const readInto = async (buffer: Buffer) => {
    const length = Math.min(SIZE, end - position)
    if (length <= 0) return undefined
    const { bytesRead } = await handle.read(buffer, 0, length, position)
    position += bytesRead
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead)
  }
  let ahead = readInto(buffers[0]!)
  try {
    for (let turn = 1; ; turn = 1 - turn) {
      signal?.throwIfAborted()
      const chunk = await ahead
      if (!chunk) return
      ahead = readInto(buffers[turn]!)
      // It is awaited with the next chunk; an iteration that ends before does not care.
      ahead.catch(() => undefined)
      yield chunk
    }
  } finally {
    await ahead.catch(() => undefined)
    for (const buffer of buffers) if (idle.length < MOST) idle.push(buffer)
    await handle.close()
  }
}
