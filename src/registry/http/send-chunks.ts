import type { ServerResponse } from 'node:http'

/**
 * Sends chunks of `size` bytes together, whose memory is used again once the next one is asked for, and ends the answer. Rejects
 * when the connection ends first. The answer ends with the last byte, before the chunks say that they have ended: a client that
 * has got everything may be gone by then, and would be taken for one that broke off.
 */
export async function sendChunks(
  response: ServerResponse,
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): Promise<void> {
  let waiting: ((error: Error) => void) | undefined
  response.once('close', () => waiting?.(brokenOff()))
  const handedOver = (hand: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => {
      waiting = reject
      // Nothing calls back for what is handed to a connection that is gone.
      if (response.destroyed) return void reject(brokenOff())
      hand((error) => (error ? reject(error) : resolve()))
    })
  let left = size
  for await (const chunk of chunks) {
    left -= chunk.byteLength
    const hand = left === 0 ? response.end.bind(response) : response.write.bind(response)
    await handedOver((done) => void hand(chunk, done))
  }
  if (left !== 0) throw new Error(`${size - left} bytes were sent of an answer of ${size}`)
}

/** As node:stream says it of a pipeline. */
function brokenOff(): Error {
  return Object.assign(new Error('the connection ended before the answer did'), { code: 'ERR_STREAM_PREMATURE_CLOSE' })
}
