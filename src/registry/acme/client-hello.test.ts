import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { connect } from 'node:tls'
import fc from 'fast-check'
import { readClientHello } from './client-hello.ts'

/** What a client sends first. */
async function helloOf(options: { servername?: string; ALPNProtocols?: string[]; maxVersion?: 'TLSv1.2' }) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }).on(
    'error',
    () => undefined,
  )
  const [socket] = await once(server, 'connection')
  let bytes = Buffer.alloc(0)
  while (readClientHello(bytes) === 'more') bytes = Buffer.concat([bytes, (await once(socket, 'data'))[0]])
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}

test('name and protocols are read as clients send them, and not before all has come', async () => {
  const bytes = await helloOf({ servername: 'Registry.example', ALPNProtocols: ['acme-tls/1', 'h2'] })
  const hello = { serverName: 'registry.example', protocols: ['acme-tls/1', 'h2'] }
  assert.deepEqual(readClientHello(bytes), hello)
  assert.deepEqual(readClientHello(Buffer.concat([bytes, Buffer.from('more')])), hello)
  for (let end = 0; end < bytes.length; end++) assert.equal(readClientHello(bytes.subarray(0, end)), 'more')
  assert.deepEqual(readClientHello(await helloOf({ maxVersion: 'TLSv1.2' })), { protocols: [] })
})

test('hostile bytes are no message, and never an error', async () => {
  assert.equal(readClientHello(Buffer.from('GET / HTTP/1.1\r\n')), undefined)
  const bytes = await helloOf({ servername: 'registry.example', ALPNProtocols: ['h2'] })
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const changed = Buffer.from(bytes)
      changed[at] = value
      readClientHello(changed)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (content) => {
      const record = Buffer.concat([Buffer.from([22, 3, 1, content.length >> 8, content.length & 0xff]), content])
      assert.notEqual(readClientHello(record), 'more')
    }),
  )
})
