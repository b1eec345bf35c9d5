import type { ServerResponse } from 'node:http'

/**
 * Sends chunks whose memory is used again once the next one is asked for, and ends the answer. Rejects when the connection
 * ends first.
 */
export async function sendChunks(response: ServerResponse, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  let waiting: ((error: Error) => void) | undefined
  response.once('close', () => waiting?.(brokenOff()))
  const handedOver = (hand: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => {
      waiting = reject
      // Nothing calls back for what is handed to a connection that is gone.
      if (response.destroyed) return void reject(brokenOff())
      hand((error) => (error ? reject(error) : resolve()))
    })
  for await (const chunk of chunks) await handedOver((done) => void response.write(chunk, done))
  await handedOver((done) => void response.end(done))
}

/** As node:stream says it of a pipeline. */
function brokenOff(): Error {
  return Object.assign(new Error('the connection ended before the answer did'), { code: 'ERR_STREAM_PREMATURE_CLOSE' })
}
