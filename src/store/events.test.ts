import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Clock } from '#base'
import { digestOf } from '#blob'
import { temporaryDirectory } from '#host/file'
import { imageName, parseReference } from '#spec'
import { tarLayerFormats } from '../../test/kit/tar-layer-formats.ts'
import { type NewEvent, openStore, type RecordKind, type Store, type VolumeRecord } from './index.ts'

const volume: RecordKind<VolumeRecord> = {
  events(before, after) {
    if (after?.name === 'refused') throw new Error('no such event')
    const action = before ? (after ? 'change' : 'destroy') : 'create'
    return [{ type: 'volume', action, actor: (after ?? before)!.name, attributes: {} }]
  },
}

async function testStores(clock?: Clock) {
  const directory = await temporaryDirectory(tmpdir(), 'bale-events-')
  const stores: Store[] = []
  return {
    async open() {
      const root = join(directory.path, 'root')
      const run = join(directory.path, 'run')
      const store = await openStore({
        root,
        run,
        layerFormats: tarLayerFormats,
        kinds: { volume },
        ...(clock && { clock }),
      })
      stores.push(store)
      return store
    },
    async [Symbol.asyncDispose]() {
      for (const store of stores) await store[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

const named = (action: string): NewEvent => ({ type: 'container', action, actor: 'c', attributes: { a: 'b' } })
const actions = async (store: Store) => (await store.events.since(0)).map(({ action }) => action)

test('a change of a record and its event are written together or not at all', async () => {
  await using stores = await testStores()
  const store = await stores.open()
  await store.volumes.add({ name: 'data', created: 1, document: {} })
  await store.volumes.update('data', (record) => ({ ...record, document: { x: 1 } }))
  assert.equal(await store.volumes.remove('data'), true)
  assert.equal(await store.volumes.remove('data'), false)
  await assert.rejects(store.volumes.add({ name: 'refused', created: 1, document: {} }), /no such event/)
  assert.equal(await store.volumes.find('refused'), undefined)
  assert.deepEqual(await actions(store), ['create', 'change', 'destroy'])
})

test('another open store sees what comes, in order, and what there was', async () => {
  await using stores = await testStores()
  const [one, other] = [await stores.open(), await stores.open()]
  await one.events.add([named('before')])
  const after = await other.events.latest()
  const control = new AbortController()
  const seen: string[] = []
  const following = (async () => {
    for await (const event of other.events.follow({ after, signal: control.signal })) {
      seen.push(event.action)
      if (seen.length === 2) control.abort()
    }
  })()
  await one.events.add([named('first'), named('second')])
  await following
  assert.deepEqual(seen, ['first', 'second'])
  assert.deepEqual(await actions(other), ['before', 'first', 'second'])
  assert.deepEqual((await other.events.since(after))[0]!.attributes, { a: 'b' })
})

test('a follow ends at its time, with all that was written until then', async () => {
  let now = 1000
  await using stores = await testStores({ now: () => now, sleep: async () => undefined })
  const store = await stores.open()
  await store.events.add([named('early')])
  now = 2000
  await store.events.add([named('late')])
  const seen: string[] = []
  for await (const event of store.events.follow({ after: 0, until: 1500 })) seen.push(event.action)
  assert.deepEqual(seen, ['early'])
})

test('old events go, and the newest stay', async () => {
  let now = 1000
  await using stores = await testStores({ now: () => now, sleep: async () => undefined })
  const store = await stores.open()
  await store.events.add([named('old')])
  now += 8 * 24 * 3600 * 1000
  await store.events.add(Array.from({ length: 300 }, () => named('new')))
  const kept = await store.events.since(0)
  assert.equal(kept.length, 300)
  assert.equal(kept[0]!.seq, 2)
})

test('names and images tell what becomes of them', async () => {
  await using stores = await testStores()
  const store = await stores.open()
  const operation = store.operation({ purpose: 'test' })
  const layer = await operation.layers.write(
    (async function* () {
      yield new Uint8Array(1024)
    })(),
  )
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      config: { Labels: { team: 'x' } },
    }),
  )
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(config),
        size: config.byteLength,
      },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer.diffId, size: layer.tarSize }],
    }),
  )
  const image = await operation.putImage({ config, manifest })
  await operation[Symbol.asyncDispose]()
  await store.images.setName(imageName(parseReference('web:1')), image.descriptor, { tagged: true })
  await store.images.announce('push', image.descriptor.digest, {
    registry: 'docker.io',
    repository: 'library/web',
    tag: '1',
  })
  await store.images.remove('web:1')
  const told = (await store.events.since(0)).map(({ action, actor, attributes }) => [action, actor, attributes['name']])
  assert.deepEqual(told, [
    ['tag', image.id, 'web:1'],
    ['push', 'web:1', 'web'],
    ['untag', image.id, image.id],
    ['delete', image.id, image.id],
  ])
  assert.equal((await store.events.since(0))[0]!.attributes['team'], 'x')
})
