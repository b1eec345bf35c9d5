import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
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
  // An empty number of bits would be all addresses there are.
  for (const bad of [
    'proxy.example',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    'fd00::/129',
    '1.2.3.4/x',
  ]) {
    assert.throws(() => createOrigin({ trustedProxies: [bad] }), { code: 'INVALID_ARGUMENT' }, bad)
  }
  assert.throws(() => createOrigin({ externalUrl: 'https://x.example/path' }), { code: 'INVALID_ARGUMENT' })
})
