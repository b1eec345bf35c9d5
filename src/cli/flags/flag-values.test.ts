import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerRequest } from './container-flags.ts'
import {
  parseBytes,
  parseDevice,
  parseDeviceLimit,
  parseMount,
  parseRestart,
  parseTmpfs,
  parseUlimit,
  parseVolume,
} from './flag-values.ts'

const here = (path: string) => `/here/${path}`

test('a mount is a line of CSV; words that mean nothing here are taken', () => {
  const mount = { type: 'bind', source: '/here/a,b', target: '/w' }
  assert.deepEqual(parseMount('type=bind,"source=a,b","target=/w",consistency=cached', here), mount)
  assert.deepEqual(parseMount('type=bind,"src=a,b",dst=/w,readonly=false', here), { ...mount, readOnly: false })
  for (const bad of ['', 'type=bind,"src=a', 'type=bind,src=a,dst=/w,ro=maybe'])
    assert.throws(() => parseMount(bad, here), /invalid argument .* for "--mount" flag/, bad)
})

test('volumes and mounts: binds, named and anonymous volumes, tmpfs', () => {
  assert.deepEqual(parseVolume('/data', here), { anonymous: '/data' })
  assert.deepEqual(parseVolume('data:/data:ro', here), {
    type: 'volume',
    source: 'data',
    target: '/data',
    readOnly: true,
  })
  assert.deepEqual(parseVolume('./x:/x', here), { type: 'bind', source: '/here/./x', target: '/x', createSource: true })
  for (const bad of ['a:b:c:d', ':/x', 'a::ro', 'a:/b:what'])
    assert.throws(() => parseVolume(bad, here), /invalid/, bad)
  assert.deepEqual(parseMount('type=bind,src=x,dst=/x,readonly', here), {
    type: 'bind',
    source: '/here/x',
    target: '/x',
    readOnly: true,
  })
  assert.deepEqual(parseMount('type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770', here), {
    type: 'tmpfs',
    target: '/t',
    tmpfsSize: 1048576,
    tmpfsMode: 0o1770,
  })
  for (const bad of [
    'type=bind,target=/x',
    'type=npipe,target=/x',
    'source=a',
    'type=tmpfs,source=a,target=/x',
    'target=/x,what=1',
  ])
    assert.throws(() => parseMount(bad, here), /mount|unexpected/, bad)
  assert.deepEqual(parseTmpfs('/t:size=1m,exec').tmpfsOptions, ['size=1m', 'exec'])
})

test('devices, ulimits, restart policies', () => {
  assert.deepEqual(parseDevice('/dev/fuse:/dev/f:r'), {
    hostPath: '/dev/fuse',
    containerPath: '/dev/f',
    permissions: 'r',
  })
  assert.deepEqual(parseDevice('/dev/fuse'), { hostPath: '/dev/fuse', containerPath: '/dev/fuse', permissions: 'rwm' })
  assert.deepEqual(parseUlimit('nofile=1024:2048'), { name: 'nofile', soft: 1024, hard: 2048 })
  assert.throws(() => parseUlimit('nofile=5:4'), /less than or equal/)
  assert.deepEqual(parseRestart('on-failure:3'), { name: 'on-failure', maximumRetryCount: 3 })
  for (const bad of ['sometimes', 'always:3']) assert.throws(() => parseRestart(bad), /invalid restart policy/)
})

test('a command line becomes a request: image, command, and only what was said', () => {
  const request = containerRequest(
    ['debian:12', 'ls', '-l'],
    { env: ['A=1', 'HOME', 'GONE'], user: 'ann', publish: ['80'], memory: '64m', entrypoint: '' },
    { environment: { HOME: '/root' } },
  )
  assert.equal(request.image, 'debian:12')
  assert.deepEqual(request.config.command, ['ls', '-l'])
  assert.deepEqual(request.config.env, ['A=1', 'HOME=/root', 'GONE'])
  assert.deepEqual(request.config.entrypoint, [''])
  assert.deepEqual(request.host.resources, { memory: 67108864 })
  assert.equal(request.config.healthcheck, undefined)
  const none = containerRequest(['x'], { noHealthcheck: true }, { environment: {} })
  assert.deepEqual(none.config.healthcheck, { Test: ['NONE'] })
  assert.throws(
    () => containerRequest(['x'], { noHealthcheck: true, healthCmd: 'true' }, { environment: {} }),
    /conflicts/,
  )
  const { log } = containerRequest(['x'], { logOpt: ['max-file=3'] }, { environment: {} }).host
  assert.deepEqual(log, { driver: 'json-file', options: { 'max-file': '3' } })
})

test('restart policies: docker ones and on-unhealthy, with a count only where it counts', () => {
  assert.deepEqual(parseRestart('on-unhealthy:3'), { name: 'on-unhealthy', maximumRetryCount: 3 })
  assert.deepEqual(parseRestart('on-failure'), { name: 'on-failure' })
  assert.deepEqual(parseRestart(''), { name: 'no' })
  const wrong: [string, RegExp][] = [
    ['always:3', /maximum retry count can only be used with/],
    ['on-failure:-1', /cannot be negative/],
    ['on-failure:x', /maximum retry count must be an integer/],
    [':3', /no policy provided before colon/],
    ['sometimes', /unknown policy 'sometimes'/],
  ]
  for (const [text, message] of wrong) assert.throws(() => parseRestart(text), { message }, text)
})

test('limits of block devices are a path below /dev and a rate', () => {
  assert.deepEqual(parseDeviceLimit('device-read-bps', '/dev/sda:1mb', parseBytes), { path: '/dev/sda', rate: 1048576 })
  for (const bad of ['/dev/sda', 'sda:1mb', '/dev/sda:x', '/tmp/x:1'])
    assert.throws(() => parseDeviceLimit('device-read-bps', bad, parseBytes), /invalid argument/, bad)
})
