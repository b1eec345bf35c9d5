import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAddressGuard } from './address-guard.ts'

const CLOSED = [
  ...[
    '127.0.0.1',
    '127.255.0.1',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
  ],
  ...[
    '100.64.0.1',
    '192.0.0.8',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.9',
    '224.0.0.1',
    '255.255.255.255',
  ],
  ...['::', '::1', 'fe80::1', 'fe80::1%lo', 'fc00::1', 'fd12::1', 'ff02::1', '2001:db8::1', '2001::1', '2002:7f00:1::'],
  ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1', '100::1'],
  ...['', 'localhost', '2130706433', '0x7f.1'],
]
const PUBLIC = [
  '1.1.1.1',
  '172.15.0.1',
  '172.32.0.1',
  '192.169.0.1',
  '100.128.0.1',
  '223.255.255.255',
  '2606:4700::1111',
]

test('A13: addresses of private networks, this machine and multicast are closed, in whatever form', () => {
  const admits = createAddressGuard()
  assert.deepEqual(CLOSED.filter(admits), [])
  assert.deepEqual(
    PUBLIC.filter((address) => !admits(address)),
    [],
  )
})

test('A13: what the operator allows is open, in whatever form, and nothing else is', () => {
  const admits = createAddressGuard(['127.0.0.0/8', 'fd12::/16'])
  const open = CLOSED.filter(admits)
  assert.deepEqual(open, ['127.0.0.1', '127.255.0.1', 'fd12::1', '::ffff:127.0.0.1', '::ffff:7f00:1'])
  assert.throws(() => createAddressGuard(['10.0.0.0/33']), { code: 'INVALID_ARGUMENT' })
})
