import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '#base'
import { digestOf } from '#blob'
import { temporaryDirectory } from '#host/file'
import { tarLayerFormats } from '../../test/kit/tar-layer-formats.ts'
import type { Core } from './content/index.ts'
import { databasePath, openStore } from './index.ts'
import { createContainers } from './records/index.ts'
import { openDatabase, prepareLayout } from './rows/index.ts'

async function testStore() {
  const directory = await temporaryDirectory(tmpdir(), 'bale-records-')
  const store = await openStore({
    root: join(directory.path, 'root'),
    run: join(directory.path, 'run'),
    layerFormats: tarLayerFormats,
  })
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

const container = (id: string, name: string) => ({
  id: id.padEnd(64, '0'),
  name,
  state: 'created',
  created: 5,
  layers: [],
  document: { command: ['sh'] },
})

test('a container is found by ID, name and unique prefix, and its document comes back', async () => {
  await using made = await testStore()
  const { containers } = made.store
  await containers.add(container('abc1', 'web'))
  await containers.add(container('abc2', 'db'))
  for (const text of ['web', '/web', 'abc1', 'abc1'.padEnd(64, '0')]) {
    assert.deepEqual((await containers.find(text))?.document, { command: ['sh'] }, text)
  }
  await assert.rejects(containers.find('abc'), { code: 'AMBIGUOUS_ID' })
  assert.equal(await containers.find('nothing'), undefined)
  await assert.rejects(containers.add(container('abc3', 'web')), {
    code: 'CONFLICT',
    message: /^Conflict\. The container name "\/web" is already in use by container "abc10/,
  })
  const renamed = await containers.update('abc2'.padEnd(64, '0'), (record) => ({ ...record, name: 'data' }))
  assert.equal(renamed?.name, 'data')
  await assert.rejects(
    containers.update('abc2'.padEnd(64, '0'), (record) => ({ ...record, name: 'web' })),
    {
      code: 'CONFLICT',
    },
  )
  assert.equal((await containers.find('data'))?.id, 'abc2'.padEnd(64, '0'))
  assert.equal((await containers.list()).length, 2)
  assert.equal(await containers.remove('abc2'.padEnd(64, '0')), true)
  assert.equal(await containers.remove('abc2'.padEnd(64, '0')), false)
})

test('addresses and ports have one owner each and come back with the container', async () => {
  await using made = await testStore()
  const { addresses, ports, containers } = made.store
  const candidates = ['10.0.0.2', '10.0.0.3']
  const owner = 'abc1'.padEnd(64, '0')
  await containers.add(container('abc1', 'web'))
  assert.equal(await addresses.allocate({ network: 'n', owner, candidates }), '10.0.0.2')
  assert.equal(await addresses.allocate({ network: 'n', owner: 'two', candidates }), '10.0.0.3')
  assert.equal(await addresses.allocate({ network: 'm', owner: 'two', candidates }), '10.0.0.2')
  await assert.rejects(addresses.allocate({ network: 'n', owner: 'x', candidates }), { code: 'NETWORK_SETUP_FAILED' })
  const request = { hostIp: '0.0.0.0', protocol: 'tcp' as const, candidates: [8080, 8081] }
  assert.deepEqual(await ports.allocate(owner, [request, request]), [
    { hostIp: '0.0.0.0', protocol: 'tcp', port: 8080, owner },
    { hostIp: '0.0.0.0', protocol: 'tcp', port: 8081, owner },
  ])
  const elsewhere = [
    { hostIp: '127.0.0.1', protocol: 'udp' as const, candidates: [8080] },
    { hostIp: '127.0.0.1', protocol: 'tcp' as const, candidates: [8080] },
  ]
  await assert.rejects(ports.allocate('two', elsewhere), {
    code: 'CONFLICT',
    message: 'Bind for 127.0.0.1:8080 failed: port is already allocated',
  })
  assert.equal((await ports.list()).length, 2, 'all or nothing')
  await containers.remove(owner)
  assert.deepEqual(await ports.list(), [])
  assert.deepEqual(await addresses.list('n'), [{ address: '10.0.0.3', owner: 'two' }])
  await addresses.release('two')
  assert.deepEqual(await addresses.list('m'), [])
})

test('volumes and networks have unique names; a volume name is no path', async () => {
  await using made = await testStore()
  const { volumes, networks } = made.store
  await volumes.add({ name: 'data', created: 1, document: { a: 1 } })
  await assert.rejects(volumes.add({ name: 'data', created: 1, document: {} }), { code: 'CONFLICT' })
  for (const name of ['../x', '.', 'a/b', '']) {
    await assert.rejects(volumes.add({ name, created: 1, document: {} }), { code: 'INVALID_ARGUMENT' }, name)
  }
  await volumes.update('data', (record) => ({ ...record, document: { a: 2 } }))
  assert.deepEqual((await volumes.find('data'))?.document, { a: 2 })
  assert.equal(await volumes.remove('data'), true)
  assert.deepEqual(await volumes.list(), [])
  await networks.add({ id: 'f'.repeat(64), name: 'net', created: 1, document: {} })
  await assert.rejects(networks.add({ id: 'e'.repeat(64), name: 'net', created: 1, document: {} }), {
    code: 'CONFLICT',
  })
  assert.equal((await networks.find('ffff'))?.name, 'net')
  assert.equal(await networks.remove('f'.repeat(64)), true)
})

test('a build cache record keeps its layers until it is pruned', async () => {
  await using made = await testStore()
  const { store } = made
  const operation = store.operation({ purpose: 'test' })
  const layer = await operation.layers.write(
    (async function* () {
      yield Buffer.from('tar')
    })(),
  )
  const record = { key: 'k', layers: [layer.diffId], size: 3, created: 1, lastUsed: 1, document: { step: 'RUN' } }
  await store.buildCache.put(record)
  await operation[Symbol.asyncDispose]()
  assert.deepEqual((await store.collect()).layers, [])
  const found = await store.buildCache.get('k')
  assert.deepEqual(found?.document, { step: 'RUN' })
  assert.ok(found!.lastUsed > 1)
  assert.deepEqual((await store.diskUsage()).cacheSize, 3)
  assert.deepEqual(await store.buildCache.prune(() => false), { keys: [], freed: 0 })
  assert.deepEqual(await store.buildCache.prune(), { keys: ['k'], freed: 3 })
  assert.deepEqual(await store.layers.list(), [])
  await assert.rejects(store.buildCache.put({ ...record, layers: [digestOf('gone')] }), { code: 'STORE_DAMAGED' })
  assert.equal(await store.buildCache.get('k'), undefined)
})

test('the layers of a record are returned in the given order, including duplicates', async () => {
  await using made = await testStore()
  const { store } = made
  await using operation = store.operation({ purpose: 'test' })
  const write = async (text: string) => {
    const tar = (async function* () {
      yield Buffer.from(text)
    })()
    return (await operation.layers.write(tar)).diffId
  }
  const written = [await write('one'), await write('two'), await write('three'), await write('four')]
  for (const [index, layers] of [written, written.toReversed(), [...written, written[0]!]].entries()) {
    const record = { ...container(`abc${index}`, `web${index}`), layers }
    await store.containers.add(record)
    assert.deepEqual((await store.containers.find(record.id))?.layers, layers)
    assert.deepEqual((await store.containers.update(record.id, (found) => ({ ...found, state: 'x' })))?.layers, layers)
    await store.buildCache.put({ key: `k${index}`, layers, size: 0, created: 1, lastUsed: 1, document: {} })
    assert.deepEqual((await store.buildCache.get(`k${index}`))?.layers, layers)
  }
})

test('what is written of a container that goes with its end does not wait for the disk, unless a layer goes with it', async () => {
  await using made = await testStore()
  const path = databasePath(made.store.root)
  using database = openDatabase(path)
  const asked: string[] = []
  const spy = new Proxy(database, {
    get(target, name: keyof typeof database) {
      if (name === 'transaction' || name === 'unsynced') asked.push(name)
      const value = target[name]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const layout = prepareLayout(made.store.root, made.store.run)
  const diffId = digestOf('layer')
  const directory = layout.layerDirectory(diffId)
  await mkdir(directory, { recursive: true })
  database.run('INSERT INTO layers VALUES (?, ?, 1, 1, 1, NULL, 0)', diffId, 'tar')
  const core = { database: spy, layout, clock: systemClock } as unknown as Core
  const containers = createContainers(core, { events: () => [], passing: ({ name }) => name === 'passing' })
  for (const name of ['passing', 'lasting']) {
    const record = container(name === 'passing' ? 'a1' : 'b1', name)
    await containers.add(record)
    await containers.update(record.id, (before) => ({ ...before, state: 'running' }))
    await containers.remove(record.id)
  }
  assert.deepEqual(asked.splice(0), [...Array(3).fill('unsynced'), ...Array(3).fill('transaction')])
  await containers.add({ ...container('c1', 'passing'), layers: [diffId] })
  await containers.remove('c1'.padEnd(64, '0'))
  assert.deepEqual(asked, ['unsynced', 'unsynced', 'transaction'])
  assert.equal(existsSync(directory), false)
})
