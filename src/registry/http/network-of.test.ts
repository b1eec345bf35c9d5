import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from './network-of.ts'

test('A15: an IPv4 address counts by itself, however it is written, and an IPv6 one as its network of 64 bits', () => {
  const networks = {
    '192.0.2.1': '192.0.2.1',
    '::ffff:192.0.2.1': '192.0.2.1',
    '::FFFF:192.0.2.1': '192.0.2.1',
    '0:0:0:0:0:ffff:c000:0201': '192.0.2.1',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:DB8:0001:0002:ffff:ffff:ffff:ffff': '2001:db8:1:2::/64',
    '2001:db8::1': '2001:db8:0:0::/64',
    '2001:db8:0:0:1::': '2001:db8:0:0::/64',
    '1:2:3:4:5:6:1.2.3.4': '1:2:3:4::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
    '::1': '0:0:0:0::/64',
    '::': '0:0:0:0::/64',
    '': '',
  }
  for (const [address, network] of Object.entries(networks)) assert.equal(networkOf(address), network, address)
})
