import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { containerInspect, containerRow, usageSummary } from './index.ts'

type Facts = Parameters<typeof containerRow>[0]

const golden = JSON.parse(readFileSync(new URL('testdata/container-inspect.json', import.meta.url), 'utf8'))
const ID = 'c0ffee'.padEnd(64, '0')
const CREATED = Date.UTC(2026, 0, 2, 3, 4, 5, 670)

/** With everything that a container can have. */
const full: Facts = {
  record: {
    id: ID,
    name: 'web',
    imageId: `sha256:${'ab'.repeat(32)}`,
    created: CREATED,
    document: {
      image: 'shop:1',
      platform: { os: 'linux', architecture: 'arm64' },
      config: {
        Hostname: 'web',
        Domainname: 'example.org',
        User: '7:8',
        Env: ['A=1'],
        Entrypoint: ['/bin/serve'],
        Cmd: ['-p', '80'],
        Labels: { stage: 'test' },
        ExposedPorts: { '80/tcp': {}, '53/udp': {} },
        Volumes: { '/data': {} },
        WorkingDir: '/srv',
        Shell: ['/bin/sh', '-c'],
        StopSignal: 'SIGINT',
        StopTimeout: 3,
        Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9 },
        Tty: true,
        OpenStdin: true,
        StdinOnce: false,
        AttachStdin: false,
        AttachStdout: true,
        AttachStderr: true,
      },
      host: {
        volumesFrom: ['base:ro'],
        network: 'front',
        ports: [{ containerPort: 80, protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 8080 }],
        capAdd: ['net_admin', 'CAP_NET_ADMIN', 'all'],
        securityOptions: ['no-new-privileges'],
        readOnly: true,
        init: true,
        shmSize: 1024,
        extraHosts: ['db:10.0.0.2'],
        dns: ['10.0.0.1'],
        devices: [{ hostPath: '/dev/fuse', containerPath: '/dev/fuse', permissions: 'rwm' }],
        ulimits: [{ name: 'nofile', soft: 1024, hard: 2048 }],
        sysctls: { 'net.ipv4.ip_forward': '1' },
        resources: { memory: 64 << 20, nanoCpus: 5e8, deviceReadBps: [{ path: '/dev/sda', rate: 1000 }] },
        restart: { name: 'on-failure', maximumRetryCount: 2 },
        groupAdd: ['9'],
        log: { driver: 'json-file', options: { 'max-size': '1m', 'max-file': '3' } },
      },
      mounts: [
        mount({ type: 'volume', name: 'data', source: '/v/data/_data', destination: '/data' }),
        mount({ type: 'volume', name: 'f'.repeat(64), source: '/v/f/_data', destination: '/cache', anonymous: true }),
        mount({ type: 'bind', source: '/etc', destination: '/host', readOnly: true }),
        mount({ type: 'tmpfs', destination: '/tmp', options: ['size=64m', 'mode=1777'] }),
      ],
      networks: [{ network: 'front', ipAddress: '10.1.0.9' }, { network: 'back' }],
      connections: [
        {
          networkId: 'f'.repeat(64),
          networkName: 'front',
          address: '10.1.0.9',
          prefix: 24,
          gateway: '10.1.0.1',
          ipv6: { address: 'fd00::9', prefix: 64, gateway: 'fd00::1' },
          mac: '02:00:00:00:00:09',
          aliases: ['shop'],
          ports: [{ hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
        },
      ],
      runtime: 'crun',
    },
  },
  status: 'running',
  state: {
    process: { pid: 4711 },
    startedAt: CREATED + 1000,
    exitCode: 0,
    oomKilled: false,
    restartCount: 1,
    health: {
      status: 'unhealthy',
      failingStreak: 3,
      log: [{ start: '2026-01-02T03:04:06Z', end: '2026-01-02T03:04:07Z', exitCode: 1, output: 'no' }],
    },
  },
}

function mount(
  facts: Pick<Facts['record']['document']['mounts'][number], 'type' | 'destination'> &
    Partial<Facts['record']['document']['mounts'][number]>,
) {
  return { source: '', readOnly: false, propagation: 'rprivate', anonymous: false, options: [], ...facts }
}

const { document } = full.record

/** Created and never started: without the host's network, a health check or a log. */
const bare: Facts = {
  record: {
    id: ID,
    name: 'bare',
    created: CREATED,
    document: {
      ...document,
      config: { ...document.config, Healthcheck: { Test: ['NONE'] }, Entrypoint: undefined, Cmd: ['sh'] },
      host: { network: 'host', privileged: true, log: { driver: 'none', options: {} } },
      mounts: [],
      networks: [],
      connections: [],
      runtime: undefined,
    },
  },
  status: 'created',
  state: { exitCode: 0, oomKilled: false, restartCount: 0 },
}

const inspectFacts = {
  paths: { directory: '/s/c', log: '/s/c/log', merged: '/r/rootfs/c', upper: '/s/c/upper', work: '/s/c/work' },
  hidden: { masked: ['/proc/kcore'], readOnly: ['/proc/sys'] },
  execs: [],
}

test('inspect of a container has the members of docker, in the order of docker, whatever the container has', () => {
  const views = { full: containerInspect(full, inspectFacts), bare: containerInspect(bare, inspectFacts) }
  assert.equal(JSON.stringify(views, undefined, 2), JSON.stringify(golden, undefined, 2))
})

test('inspect shows running execs, and sizes only when they were counted', () => {
  const view = containerInspect(full, { ...inspectFacts, execs: ['e1'], size: { written: 5, total: 105 } })
  assert.deepEqual([view.ExecIDs, view.SizeRw, view.SizeRootFs], [['e1'], 5, 105])
  assert.equal('SizeRw' in containerInspect(full, inspectFacts), false)
})

test('a line of ps has ports and health while the container is up, and the mode where it has no network of its own', () => {
  const { ports, exposed, health, networks, command } = containerRow(full)
  assert.deepEqual(
    { ports: ports.length, exposed, health, networks, command },
    {
      ports: 1,
      exposed: ['80/tcp', '53/udp'],
      health: 'unhealthy',
      networks: ['front', 'back'],
      command: ['/bin/serve', '-p', '80'],
    },
  )
  const ended = containerRow({ ...full, status: 'exited' })
  assert.deepEqual([ended.ports, ended.exposed, ended.health], [[], [], undefined])
  assert.deepEqual(containerRow(bare).networks, ['host'])
})

test('the usage of a store: what no running container has written and what no container mounts can be reclaimed', () => {
  const usage = {
    images: [{ containers: 2 }, { containers: 0 }],
    layersSize: 100,
    imagesReclaimable: 30,
    containers: [
      { record: { id: 'up' }, size: 5 },
      { record: { id: 'down' }, size: 7 },
    ],
    volumes: [
      { record: { name: 'used' }, size: 1 },
      { record: { name: 'unused' }, size: 2 },
    ],
    volumeUsers: new Map([['used', ['up']]]),
    cache: [{ shared: true }, { shared: false }],
    cacheSize: 9,
  }
  const states = [
    { id: 'up', state: 'paused' },
    { id: 'down', state: 'exited' },
  ]
  assert.deepEqual(usageSummary(usage, states), [
    { kind: 'images', total: 2, active: 1, size: 100, reclaimable: 30 },
    { kind: 'containers', total: 2, active: 1, size: 12, reclaimable: 7 },
    { kind: 'volumes', total: 2, active: 1, size: 3, reclaimable: 2 },
    { kind: 'cache', total: 2, active: 1, size: 9, reclaimable: 9 },
  ])
})
