import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createTarScanner } from '#format/tar'
import { processIdentity } from '#host'
import { cannotRunContainers } from '../../../test/kit/busybox-rootfs.ts'
import { containerMachine } from '../../../test/kit/container-machine.ts'
import { until } from '../../../test/kit/until.ts'
import { frozen } from '../state/freezer.ts'
import { pathsOf } from '../state/machinery.ts'
import { findContainer, seeContainer } from '../state/state.ts'
import { volumeUsers } from '../volume/volumes.ts'
import { containerDiff, exportContainer, storeOwnLayer } from './own-layer.ts'
import { removeContainer } from './remove.ts'

const skip = cannotRunContainers()
const timeout = 240_000
const CHANGES =
  'echo new > /root/new; rm /etc/group; mkdir /opt; echo x > /opt/x; chmod 700 /tmp; rm -r /home; mkdir /home'

async function namesOf(tar: AsyncIterable<Uint8Array>): Promise<string[]> {
  const names: string[] = []
  const scanner = createTarScanner({
    onEntry: (entry) => void names.push(`${entry.name}${entry.size ? ` ${entry.size}` : ''}`),
  })
  for await (const chunk of tar) scanner.push(chunk)
  scanner.end()
  return names
}

test("diff lists additions, changes and deletions, and none of bale's own files", {
  skip,
  timeout,
}, async () => {
  await using machine = await containerMachine({ Cmd: ['sh'], Volumes: { '/data': {} } })
  const { id } = await machine.run(machine.options(['sh', '-c', `${CHANGES}; echo v > /data/v`]))
  const diff = (await containerDiff(machine.machinery, id)).map(({ kind, path }) => `${kind} ${path}`)
  assert.deepEqual(diff, [
    'C /etc',
    'D /etc/group',
    'C /home',
    'A /opt',
    'A /opt/x',
    'C /root',
    'A /root/new',
    'C /tmp',
  ])
  const untouched = await machine.run(machine.options(['true']))
  assert.deepEqual(await containerDiff(machine.machinery, untouched.id), [])
})

test('the own layer of a running container is stored while it is frozen, and it runs on', {
  skip,
  timeout,
}, async () => {
  await using machine = await containerMachine()
  const { machinery, store } = machine
  const { id } = await machine.create(machine.options(['sh', '-c', `${CHANGES}; exec sleep 1000`]))
  const { monitored } = await machine.start(id)
  const commandLine = `/proc/${monitored!.process.pid}/cmdline`
  await until('its changes are made', () => readFileSync(commandLine, 'latin1').startsWith('sleep\0'))
  await using intake = store.operation({ purpose: 'test' })
  const { layer } = await storeOwnLayer(machinery, id, intake)
  const names = await namesOf(store.layers.openTar(layer.diffId))
  assert.deepEqual(names, [
    'etc/',
    'etc/.wh.group',
    'home/',
    'home/.wh..wh..opq',
    'opt/',
    'opt/x 2',
    'root/',
    'root/new 4',
    'tmp/',
  ])
  assert.equal((await seeContainer(machinery, id)).status, 'running')
})

test('a container whose commit was killed in the middle is thawed by the next look', { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const { machinery } = machine
  const { id } = await machine.create(machine.options(['sleep', '1000']))
  await machine.start(id)
  await frozen(machinery, await findContainer(machinery, id))
  assert.equal((await seeContainer(machinery, id)).status, 'paused', 'while its owner lives it is frozen')
  const dead = spawn('/bin/true')
  await new Promise((resolve) => dead.once('close', resolve))
  assert.equal(processIdentity(dead.pid!), undefined)
  writeFileSync(join(pathsOf(machinery, id).bundle, 'frozen-by.json'), JSON.stringify({ pid: dead.pid, startTime: 1 }))
  assert.equal((await seeContainer(machinery, id)).status, 'running')
})

test('export is a flat tar of what the container shows, without the content of volumes', {
  skip,
  timeout,
}, async () => {
  await using machine = await containerMachine({ Cmd: ['sh'], Volumes: { '/data': {} } })
  const { id } = await machine.run(machine.options(['sh', '-c', `${CHANGES}; echo v > /data/v`]))
  const names = await namesOf(exportContainer(machine.machinery, id))
  for (const there of ['data/', 'opt/x 2', 'root/new 4', 'etc/hosts', 'proc/', 'bin/busybox'])
    assert.ok(
      names.some((name) => name === there || name.startsWith(`${there} `)),
      there,
    )
  for (const missing of ['etc/group', 'data/v']) assert.ok(!names.some((name) => name.startsWith(missing)), missing)
})

test('a new volume gets what the image has at its place; one with content does not; -v removes anonymous ones only', {
  skip,
  timeout,
}, async () => {
  await using machine = await containerMachine({ Cmd: ['sh'], Volumes: { '/root': {} } })
  const { machinery, store } = machine
  const mounts = (source?: string) => [{ type: 'volume' as const, source, target: '/etc' }]
  const first = await machine.run(
    machine.options(
      ['sh', '-c', 'ls /etc; echo mine > /etc/group; touch /root/x'],
      {},
      { network: 'none', mounts: mounts('conf') },
    ),
  )
  assert.match(first.stdout, /group\n.*passwd\n/s)
  const second = await machine.run(
    machine.options(['cat', '/etc/group'], {}, { network: 'none', mounts: mounts('conf') }),
  )
  assert.equal(second.stdout, 'mine\n')
  assert.equal((await volumeUsers(machinery)).get('conf')?.length, 2)
  for (const { id } of [first, second]) await removeContainer(machinery, id, { volumes: true })
  assert.deepEqual(
    (await store.volumes.list()).map((volume) => volume.name),
    ['conf'],
  )
})
