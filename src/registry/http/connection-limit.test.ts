import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConnectionLimit } from './connection-limit.ts'

test('a network has a quarter of the places, a trusted proxy as many as there are, and each is free again when it is left', () => {
  const { enter } = createConnectionLimit({ maxConnections: 8, trustedProxies: ['10.0.0.1'] })
  const first = enter('2001:db8::1')
  assert.ok(enter('2001:db8::2'), 'of the same /64')
  assert.equal(enter('2001:db8::3'), undefined)
  assert.equal(enter('2001:db8:0:0:ffff::1'), undefined)
  first![Symbol.dispose]()
  assert.ok(enter('2001:db8::3'))
  assert.equal(enter('2001:db8::4'), undefined)
  for (let place = 0; place < 5; place++) assert.ok(enter('10.0.0.1'))
  assert.ok(enter('192.0.2.1'))
  assert.equal(enter('10.0.0.1'), undefined, 'all are taken')
})
