import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../test/kit/until.ts'
import { openCertifiedTls } from './certified-tls.ts'
import type { Registry } from './registry.ts'

/** A registry whose certificate is never there; it counts how often one was ordered. */
function orders() {
  let count = 0
  const obtained = {
    current: async () => ({ cert: undefined, key: undefined }),
    answerAt: () => undefined,
    begin: () => void count++,
    [Symbol.asyncDispose]: async () => undefined,
  }
  return { count: () => count, registry: { obtainCertificate: async () => obtained } as unknown as Registry }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

test('a process that leaves challenges to another one orders nothing before that one answers', async () => {
  const { count, registry } = orders()
  const port = await freePort()
  const by = { acme: {} as never, challengeAddress: { host: '127.0.0.1', port }, challengesElsewhere: true }
  const server = createServer()
  const other = createServer()
  {
    await using tls = await openCertifiedTls(by, registry, {})
    tls.follow(server as Server as never)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    await sleep(300)
    assert.equal(count(), 0)
    other.listen(port, '127.0.0.1')
    await until('it orders', () => count() === 1)
  }
  server.close()
  other.close()
})

test('one that ends meanwhile orders nothing', async () => {
  const { count, registry } = orders()
  const port = await freePort()
  const by = { acme: {} as never, challengeAddress: { host: '127.0.0.1', port }, challengesElsewhere: true }
  const server = createServer()
  {
    await using tls = await openCertifiedTls(by, registry, {})
    tls.follow(server as Server as never)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  const other = createServer().listen(port, '127.0.0.1')
  await sleep(300)
  assert.equal(count(), 0)
  server.close()
  other.close()
})
