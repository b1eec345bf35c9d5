import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sendChunks } from './send-chunks.ts'

interface Sent {
  finished: boolean
  failure: unknown
}

/** What becomes of an answer of `size` bytes that gets these chunks, for a client that goes as soon as it has `wanted` of them. */
async function sent(chunks: AsyncIterable<Uint8Array>, size: number, wanted = size): Promise<Sent> {
  const { promise, resolve } = Promise.withResolvers<Sent>()
  const server = createServer(async (_, response: ServerResponse) => {
    response.writeHead(200, { 'Content-Length': size })
    const closed = once(response, 'close')
    const failure = await sendChunks(response, chunks, size).then(
      () => undefined,
      (error: unknown) => {
        response.destroy()
        return error
      },
    )
    await closed
    resolve({ finished: response.writableFinished, failure })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  let got = Buffer.alloc(0)
  socket.on('data', (bytes: Buffer) => {
    got = Buffer.concat([got, bytes])
    const head = got.indexOf('\r\n\r\n')
    if (head >= 0 && got.length - head - 4 >= wanted) socket.destroy()
  })
  try {
    return await promise
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

async function* slowly(count: number, end = 0) {
  const memory = Buffer.alloc(1000)
  for (let at = 0; at < count; at++) {
    await sleep(5)
    yield memory.fill(at)
  }
  await sleep(end)
}

test('a client that closes after the last byte has a complete download, even if the source is slow to end', async () => {
  assert.deepEqual(await sent(slowly(3, 200), 3000), { finished: true, failure: undefined })
})

test('a client that closes earlier has broken off', async () => {
  const { finished, failure } = await sent(slowly(30, 0), 30_000, 2000)
  assert.equal(finished, false)
  assert.match(String((failure as NodeJS.ErrnoException).code), /PREMATURE_CLOSE|ECONNRESET|EPIPE/)
})

test('fewer bytes than were promised are a failure', async () => {
  const { finished, failure } = await sent(slowly(2), 3000)
  assert.equal(finished, false)
  assert.match(String(failure), /2000 bytes were sent of an answer of 3000/)
})
