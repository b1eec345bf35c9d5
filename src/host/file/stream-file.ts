import { open } from 'node:fs/promises'

interface StreamFileOptions {
  /** First byte, 0 by default. */
  start?: number
  /** Byte after the last one, the end of the file by default. */
  end?: number
  /** Bytes per chunk, 1 MiB by default. */
  chunkSize?: number
  signal?: AbortSignal
}

/** The bytes [start, end) of a file in fresh buffers. The file is closed when the iteration ends, also early. */
export async function* streamFile(path: string, options: StreamFileOptions = {}): AsyncGenerator<Uint8Array> {
  const { end = Number.POSITIVE_INFINITY, chunkSize = 1 << 20 } = options
  let position = options.start ?? 0
  const handle = await open(path, 'r')
  try {
    while (position < end) {
      options.signal?.throwIfAborted()
      const buffer = Buffer.allocUnsafeSlow(Math.min(chunkSize, end - position))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
      if (bytesRead === 0) return
      position += bytesRead
      yield bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}
