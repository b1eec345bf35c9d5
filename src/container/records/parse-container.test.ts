import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerRecord } from '#store'
import { parseContainer } from './parse-container.ts'
import { parseNetwork, parseVolume } from './parse-network-volume.ts'

const ID = 'c'.repeat(64)
const NETWORK_ID = 'a'.repeat(64)

/** As bale 0.1 wrote it: without a version, with at most one network. */
function record(more: object = {}, host: object = {}): ContainerRecord {
  return {
    id: ID,
    name: 'web',
    state: 'running',
    created: 1,
    layers: [],
    document: {
      image: 'busybox',
      platform: { os: 'linux', architecture: 'amd64' },
      config: {
        Hostname: 'cccccccccccc',
        Domainname: '',
        Env: ['PATH=/bin'],
        Labels: {},
        Tty: false,
        OpenStdin: false,
        StdinOnce: false,
        AttachStdin: false,
        AttachStdout: true,
        AttachStderr: true,
        Cmd: ['sh'],
      },
      host,
      mounts: [],
      stubs: ['/proc'],
      state: {
        status: 'running',
        exitCode: 0,
        oomKilled: false,
        restartCount: 0,
        stopRequested: false,
        process: { pid: 4, startTime: 9 },
      },
      runtime: 'runc',
      ...more,
    },
  }
}

const connection = {
  networkId: NETWORK_ID,
  networkName: 'app',
  address: '10.5.0.2',
  prefix: 24,
  gateway: '10.5.0.1',
  mac: '02:42:0a:05:00:02',
  aliases: ['web', 'db'],
  ports: [{ hostIp: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  dns: true,
  internal: false,
}

test('a running container of bale 0.1 has a list of networks and of connections', () => {
  const host = { network: 'app', networkAliases: ['db'], ipAddress: '10.5.0.2', macAddress: '02:42:0a:05:00:02' }
  const { document, ...rest } = parseContainer(record({ connection }, host))
  assert.equal(rest.name, 'web')
  assert.equal(document.version, 2)
  assert.deepEqual(document.networks, [
    { network: 'app', aliases: ['db'], ipAddress: '10.5.0.2', macAddress: '02:42:0a:05:00:02' },
  ])
  assert.deepEqual(document.connections, [{ ...connection, interfaceName: 'eth0' }])
  assert.equal('connection' in document, false)
  assert.deepEqual(document.host, host, 'what was asked for stays')
})

test('what bale 0.1 wrote of other network modes is read', () => {
  const networks = (host: object) => parseContainer(record({}, host)).document.networks
  assert.deepEqual(networks({}), [{ network: 'bridge' }])
  assert.deepEqual(networks({ network: 'default' }), [{ network: 'bridge' }])
  for (const network of ['none', 'host', `container:${ID}`]) assert.deepEqual(networks({ network }), [], network)
})

test('reading a record of today changes nothing', () => {
  const once = parseContainer(record({ connection }, { network: 'app' }))
  assert.deepEqual(parseContainer(once), once)
})

test('a record of a newer bale is refused, and the error of a malformed one names what is wrong', () => {
  assert.throws(() => parseContainer(record({ version: 3 })), { code: 'STORE_VERSION' })
  const wrong: [object, RegExp][] = [
    [{ config: undefined }, /container cccccccccccc cannot be read: config is not of type object/],
    [{ mounts: {} }, /mounts is not of type list/],
    [{ mounts: [{ type: 'bind' }] }, /source is not of type string/],
    [{ state: { status: 'running' } }, /exitCode is not of type number/],
    [{ version: 'x' }, /its version is not a number/],
    [{ version: 2 }, /networks is not of type list/],
    [{ connection: { networkId: NETWORK_ID } }, /networkName is not of type string/],
  ]
  for (const [more, message] of wrong)
    assert.throws(() => parseContainer(record(more)), { code: 'STORE_DAMAGED', message })
})

test('networks and volumes of bale 0.1 are read; damaged and newer ones are refused', () => {
  const network = {
    id: NETWORK_ID,
    name: 'app',
    created: 1,
    document: {
      driver: 'bridge',
      interfaceName: 'bale-aaaaaaaa',
      subnet: '10.5.0.0/24',
      gateway: '10.5.0.1',
      internal: false,
      dns: true,
      options: {},
      labels: { a: 'b' },
    },
  }
  assert.deepEqual(parseNetwork(network), network)
  const volume = { name: 'data', created: 1, document: { labels: {}, options: {}, anonymous: false } }
  assert.deepEqual(parseVolume(volume), volume)
  assert.throws(() => parseNetwork({ ...network, document: { ...network.document, labels: [1] } }), {
    code: 'STORE_DAMAGED',
    message: /network app cannot be read: labels is not of type texts/,
  })
  assert.throws(() => parseVolume({ ...volume, document: { version: 2 } }), { code: 'STORE_VERSION' })
})
