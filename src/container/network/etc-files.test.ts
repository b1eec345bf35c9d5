import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contains, formatSubnet, hostAddresses, overlaps, parseAddress, parseSubnet } from './address.ts'
import {
  assertResolvOptions,
  hostHostsFile,
  hostResolvFile,
  hostsFile,
  parseExtraHost,
  resolvFile,
} from './etc-files.ts'
import { freeSubnet, parseRoutes } from './subnet-pool.ts'

test("/etc/hosts has docker's lines, then what was added, then the container's own", () => {
  const text = hostsFile({
    extra: ['db:10.0.0.5', 'v6:::1', 'host.docker.internal:host-gateway'],
    gateway: '10.120.0.1',
    own: { addresses: ['10.120.0.2'], names: ['web.example', 'web'] },
  })
  assert.ok(text.startsWith('127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n'))
  assert.ok(text.endsWith('10.0.0.5\tdb\n::1\tv6\n10.120.0.1\thost.docker.internal\n10.120.0.2\tweb.example web\n'))
})

test("with the machine's network its hosts stay, with what was added below", () => {
  assert.equal(hostHostsFile('127.0.0.1 localhost', ['db:10.0.0.5']), '127.0.0.1 localhost\n10.0.0.5\tdb\n')
})

test('R10 names and addresses with white space or a newline never reach /etc/hosts or resolv.conf', () => {
  for (const bad of [
    'a b:10.0.0.1',
    'a\nb:10.0.0.1',
    'a:10.0.0.1\n6.6.6.6 bank',
    'a',
    'a:',
    ':10.0.0.1',
    'a:10.0.0.999',
  ])
    assert.throws(() => parseExtraHost(bad), /bad format for add-host/, bad)
  assert.throws(() => assertResolvOptions({ dns: ['1.1.1.1\nnameserver 6.6.6.6'] }), /invalid DNS server/)
  assert.throws(() => assertResolvOptions({ dnsSearch: ['a\nnameserver 6.6.6.6'] }), /invalid DNS domain/)
  assert.throws(() => assertResolvOptions({ dnsOptions: ['a b'] }), /invalid DNS option/)
})

test("resolv.conf: the machine's servers, but not those that only the machine reaches", () => {
  const host = '# made by hand\nnameserver 127.0.0.53\nnameserver 10.1.1.1\nsearch example.org\noptions edns0\n'
  assert.equal(resolvFile({ host }), 'nameserver 10.1.1.1\nsearch example.org\noptions edns0\n')
  assert.equal(resolvFile({ host: 'nameserver ::1\n' }), 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n')
  assert.equal(resolvFile({ host: 'nameserver fd00::53\nnameserver 10.1.1.1\n' }), 'nameserver 10.1.1.1\n')
  assert.equal(hostResolvFile({ host }), host, "with the machine's network its file is taken as it is")
})

test('resolv.conf: what was asked for replaces, what was not is kept', () => {
  const host = 'nameserver 10.1.1.1\ndomain old\nsearch example.org corp\noptions edns0 timeout:1\noptions rotate\n'
  const asked = { host, servers: ['9.9.9.9'] }
  assert.equal(resolvFile(asked), 'nameserver 9.9.9.9\nsearch example.org corp\noptions edns0 timeout:1 rotate\n')
  assert.equal(resolvFile({ ...asked, search: ['.'], options: ['ndots:2'] }), 'nameserver 9.9.9.9\noptions ndots:2\n')
  assert.equal(
    hostResolvFile({ host, search: ['lan'] }),
    'nameserver 10.1.1.1\nsearch lan\noptions edns0 timeout:1 rotate\n',
  )
})

test("resolv.conf of a network with names: its own server, the machine's domains, names without dots first", () => {
  const host = 'nameserver 10.1.1.1\nsearch example.org\noptions edns0\n'
  const nameServers = ['10.140.0.1']
  assert.equal(
    resolvFile({ host, nameServers, servers: ['9.9.9.9'] }),
    'nameserver 10.140.0.1\nsearch example.org\noptions edns0 ndots:0\n',
  )
  assert.match(resolvFile({ host, nameServers, options: ['ndots:3'] }), /options ndots:3\n$/)
  assert.match(resolvFile({ host, nameServers, internal: true }), /options edns0 ndots:0 timeout:1 attempts:1\n$/)
})

test('subnets: text, overlap, addresses for containers', () => {
  const subnet = parseSubnet('10.5.0.0/29')
  assert.equal(formatSubnet(subnet), '10.5.0.0/29')
  assert.deepEqual([...hostAddresses(subnet)], ['10.5.0.2', '10.5.0.3', '10.5.0.4', '10.5.0.5', '10.5.0.6'])
  assert.equal(contains(subnet, parseAddress('10.5.0.8')!), false)
  assert.equal(overlaps(parseSubnet('10.0.0.0/8'), subnet), true)
  assert.equal(overlaps(parseSubnet('10.5.0.8/29'), subnet), false)
  for (const bad of ['10.5.0.1/24', '10.5.0.0', '10.5.0.0/33', '10.5.0/24', '010.5.0.0/24', '10.5.0.0/31'])
    assert.throws(() => parseSubnet(bad), /invalid subnet/, bad)
  assert.deepEqual(
    [parseAddress('1.2.3.4'), parseAddress('1.2.3.256'), parseAddress('01.2.3.4')],
    [16909060, undefined, undefined],
  )
})

test('a free subnet touches no route and no known network', () => {
  const routes = parseRoutes(
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n' +
      'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n' +
      'eth0\t0000780A\t00000000\t0001\t0\t0\t0\t0000FEFF\t0\t0\t0\n',
  )
  assert.deepEqual(routes.map(formatSubnet), ['10.120.0.0/15'])
  assert.equal(formatSubnet(freeSubnet('large', routes)), '10.122.0.0/16')
  assert.equal(formatSubnet(freeSubnet('small', [parseSubnet('10.140.0.0/16')])), '10.141.0.0/24')
  const large = Array.from({ length: 20 }, (_, index) => parseSubnet(`10.${120 + index}.0.0/16`))
  assert.equal(formatSubnet(freeSubnet('large', large)), '10.140.0.0/24')
  assert.throws(() => freeSubnet('small', [parseSubnet('10.0.0.0/8')]), /in use/)
})
