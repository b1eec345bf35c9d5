import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { createAttempts } from '../auth/attempts.ts'
import { createOrigin } from './origin.ts'

const from = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage

test('A15 A17: the address of a client is the socket’s; only a trusted proxy may tell another, and only the hop before it counts', () => {
  const open = createOrigin({})
  assert.equal(open.address(from('203.0.113.9', '198.51.100.1')), '203.0.113.9')
  assert.equal(open.address(from('::ffff:203.0.113.9')), '203.0.113.9')
  const proxied = createOrigin({ trustedProxies: ['10.0.0.0/8', 'fd00::/8'] })
  assert.equal(proxied.address(from('10.1.2.3', '198.51.100.1, 203.0.113.7')), '203.0.113.7')
  assert.equal(proxied.address(from('::ffff:10.1.2.3', '203.0.113.7, 10.9.9.9')), '203.0.113.7')
  assert.equal(proxied.address(from('fd00::1', '2001:db8::5')), '2001:db8::5')
  assert.equal(proxied.address(from('10.1.2.3', 'nonsense')), '10.1.2.3')
  assert.equal(proxied.address(from('203.0.113.9', '198.51.100.1')), '203.0.113.9')
  assert.throws(() => createOrigin({ trustedProxies: ['proxy.example'] }), { code: 'INVALID_ARGUMENT' })
  assert.throws(() => createOrigin({ externalUrl: 'https://x.example/path' }), { code: 'INVALID_ARGUMENT' })
})

test('A15: failures count within a moving minute, and memory stays bounded whatever is guessed', () => {
  let now = 0
  const attempts = createAttempts({ limit: 3, clock: { now: () => now, sleep: async () => undefined } })
  for (let count = 0; count < 3; count++, now += 10_000) {
    assert.equal(attempts.waitFor('a'), 0)
    attempts.count('a')
  }
  assert.equal(attempts.waitFor('a'), 30)
  assert.equal(attempts.waitFor('b'), 0)
  now += 31_000
  assert.equal(attempts.waitFor('a'), 0)
  attempts.count('a')
  assert.equal(attempts.waitFor('a'), 9)
  const giveBack = attempts.count('c')
  attempts.count('c')
  attempts.count('c')
  assert.ok(attempts.waitFor('c') > 0)
  giveBack()
  assert.equal(attempts.waitFor('c'), 0, 'given back')
  for (let count = 0; count < 20_000; count++) attempts.count(`guess ${count}`)
  assert.equal(attempts.waitFor('a'), 0)
})
