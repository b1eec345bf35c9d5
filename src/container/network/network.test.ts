import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBaleError } from '#base'
import type { NetworkRecord } from '#store'
import type { CreateNetworkOptions, NetworkDocument } from '../model/network-document.ts'
import { bridgeSettings } from './bridge-options.ts'
import { formatAddress6, parseAddress6, parseSubnet6 } from './ipv6-address.ts'
import { replacedNames } from './name-server.ts'
import { createNetwork } from './network.ts'

/** The networks of a store, as far as making one needs them. */
function networks() {
  const known: NetworkRecord<NetworkDocument>[] = []
  const table = {
    list: async () => known,
    add: async (network: NetworkRecord<NetworkDocument>) => void known.push(network),
  }
  const store = { networks: table } as unknown as Parameters<typeof createNetwork>[0]
  let count = 0
  return (asked: Partial<CreateNetworkOptions>) => {
    const id = (++count).toString(16).padStart(8, '0').padEnd(64, 'a')
    return createNetwork(store, { name: `n${count}`, ...asked }, { id, created: 0 })
  }
}

test('a network has the range, gateway and reserved addresses that were asked for', async () => {
  const create = networks()
  const { document } = await create({
    subnets: ['10.9.9.0/24'],
    gateways: ['10.9.9.254'],
    ipRange: '10.9.9.128/25',
    auxiliary: { router: '10.9.9.130' },
  })
  const { subnet, gateway, ipRange, auxiliary } = document
  assert.deepEqual(
    { subnet, gateway, ipRange, auxiliary },
    { subnet: '10.9.9.0/24', gateway: '10.9.9.254', ipRange: '10.9.9.128/25', auxiliary: { router: '10.9.9.130' } },
  )
})

test('IPv6: a range of its own by default, or the one that was asked for', async () => {
  const create = networks()
  assert.deepEqual((await create({ ipv6: true })).document.ipv6, {
    subnet: 'fd00:0:1aa::/64',
    gateway: 'fd00:0:1aa::1',
  })
  const given = await create({ ipv6: true, subnets: ['10.9.9.0/24', 'fd00:9::/64'], gateways: ['fd00:9::99'] })
  assert.deepEqual(given.document.ipv6, { subnet: 'fd00:9::/64', gateway: 'fd00:9::99' })
  assert.equal(given.document.gateway, '10.9.9.1')
})

test("impossible networks are refused by name, with docker's message where it has one", async () => {
  const create = networks()
  await create({ name: 'first', subnets: ['10.9.9.0/24'], options: { 'com.docker.network.bridge.name': 'br-first' } })
  await create({ name: 'six', ipv6: true, subnets: ['fd00:9::/64'] })
  const cases: [Partial<CreateNetworkOptions>, RegExp][] = [
    [{ name: 'first' }, /network with name first already exists/],
    [{ name: 'host' }, /not permitted on predefined host network/],
    [{ name: 'none' }, /not permitted on predefined none network/],
    [{ name: 'a b' }, /invalid network name: a b/],
    [{ name: '' }, /invalid network name/],
    [{ driver: 'host' }, /only one instance of "host" network is allowed/],
    [{ driver: 'macvlan' }, /network driver macvlan is not supported/],
    [{ subnets: ['10.9.9.128/25'] }, /Pool overlaps with other one on this address space: first/],
    [{ subnets: ['10.1.1.5/24'] }, /invalid subnet 10\.1\.1\.5\/24: it should be 10\.1\.1\.0\/24/],
    [{ subnets: ['nonsense'] }, /invalid subnet: nonsense/],
    [{ subnets: ['10.1.1.0/31'] }, /invalid subnet/],
    [{ subnets: ['10.1.1.0/24', '10.1.2.0/24'] }, /doesn't support multiple subnets/],
    [{ gateways: ['10.1.1.1'] }, /must have a corresponding subnet/],
    [{ ipRange: '10.1.1.0/25' }, /must have a corresponding subnet/],
    [{ subnets: ['10.1.1.0/24'], gateways: ['10.2.2.1'] }, /no matching subnet for gateway 10\.2\.2\.1/],
    [{ subnets: ['10.1.1.0/24'], gateways: ['10.1.1.255'] }, /not a host address/],
    [{ subnets: ['10.1.1.0/24'], ipRange: '10.1.0.0/16' }, /no matching subnet for range/],
    [{ subnets: ['10.1.1.0/24'], auxiliary: { a: '10.2.1.1' } }, /no matching subnet for aux-address a=10\.2\.1\.1/],
    [{ subnets: ['fd00:8::/64'] }, /without IPv6/],
    [{ ipv6: true, subnets: ['fd00:9:0:0:8000::/65'] }, /Pool overlaps .*: six/],
    [{ ipv6: true, subnets: ['fd00:8::1/64'] }, /host bits/],
    [{ ipv6: true, subnets: ['fd00:8::/64'], gateways: ['fd00:7::1'] }, /no matching subnet for gateway/],
    [{ options: { 'com.docker.network.bridge.name': 'br-first' } }, /belongs to network first/],
    [{ options: { 'com.docker.network.bridge.name': 'lo' } }, /already has an interface lo/],
    [{ options: { 'com.docker.network.bridge.name': 'much-too-long-name' } }, /invalid name of a bridge/],
    [{ options: { mtu: 'abc' } }, /failed to parse mtu value: abc/],
    [{ options: { 'com.docker.network.bridge.gateway_mode_ipv4': 'routed' } }, /is not supported/],
    [{ options: { foo: 'bar' } }, /network option foo=bar is not supported/],
  ]
  for (const [asked, words] of cases)
    await assert.rejects(create(asked), (error) => isBaleError(error) && words.test(error.message), String(words))
})

test('options of a bridge: long names, short names, what is not supported', () => {
  assert.deepEqual(bridgeSettings({ 'com.docker.network.driver.mtu': '1400', icc: 'FALSE' }), {
    mtu: 1400,
    betweenContainers: false,
  })
  assert.deepEqual(bridgeSettings({ 'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1' }), {
    betweenContainers: true,
    publishAddress: '127.0.0.1',
  })
  assert.throws(() => bridgeSettings({ 'com.docker.network.bridge.enable_ip_masquerade': 'false' }), /not supported/)
})

test('IPv6 addresses are read and written in one form', () => {
  for (const [text, shown] of [
    ['fd00:0005:0::1', 'fd00:5::1'],
    ['::', '::'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ] as const)
    assert.equal(formatAddress6(parseAddress6(text)!), shown)
  for (const bad of ['', '10.0.0.1', 'fe80::1%eth0', 'fd00::1::2', 'g::']) assert.equal(parseAddress6(bad), undefined)
  assert.throws(() => parseSubnet6('fd00:5::/120'), /invalid subnet/)
})

test('a container gets other names in the file of the name server; the rest stays', () => {
  const text = '10.1.1.1\naaa 10.1.1.2  db,aaa \nbbb 10.1.1.3  web 9.9.9.9\n'
  assert.equal(
    replacedNames(text, 'bbb', ['www', 'bbb']),
    '10.1.1.1\naaa 10.1.1.2  db,aaa \nbbb 10.1.1.3  www,bbb 9.9.9.9\n',
  )
  assert.equal(replacedNames(text, 'ccc', ['x']), text)
})
