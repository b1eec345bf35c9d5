import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { systemClock } from '#base'
import { openStore } from '#store'
import { tarLayerFormats } from '../../../test/kit/tar-layer-formats.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import type { Step } from '../graph/index.ts'
import { createStepCache } from './step-cache.ts'
import { cacheRecovery } from './taken-step.ts'

const CREATED = '2024-01-02T03:04:05Z'

async function cacheKit() {
  const directory = await temporaryDirectory()
  const root = join(directory.path, 'root')
  const store = await openStore({ root, run: join(directory.path, 'run'), layerFormats: tarLayerFormats })
  const intake = store.operation({ purpose: 'test' })
  const layer = async (text: string) => {
    const tar = (async function* () {
      yield Buffer.from(text)
    })()
    return (await intake.layers.write(tar)).diffId
  }
  return {
    store,
    intake,
    layer,
    cache: createStepCache({ store, intake, clock: systemClock, created: () => CREATED }),
    /** What another bale, or a damaged disk, made of a record. */
    rewrite(key: string, document: string) {
      using database = new DatabaseSync(join(root, 'bale.db'))
      database.prepare('UPDATE cache SET document = ? WHERE key = ?').run(document, key)
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

const step = (...keys: string[]): Step => ({
  keys: keys.map((key) => async () => key),
  execute: () => assert.fail('not asked for'),
})

test('a step is found again under each of its keys, as it was kept', async () => {
  await using kit = await cacheKit()
  const diffId = await kit.layer('one')
  const taken = await kit.cache.keep(step('cheap', 'dear'), { diffId })
  assert.deepEqual(taken, { diffId, created: CREATED })
  for (const key of ['cheap', 'dear']) assert.deepEqual(await kit.cache.find(step(key)), taken)
  assert.equal(await kit.cache.find(step('other')), undefined)
})

test('a record that bale 0.1 wrote, without a version, is found', async () => {
  await using kit = await cacheKit()
  const diffId = await kit.layer('one')
  await kit.cache.keep(step('key'), { diffId })
  kit.rewrite('key', JSON.stringify({ diffId, created: CREATED }))
  assert.deepEqual(await kit.cache.find(step('key')), { diffId, created: CREATED })
})

const unreadable: [title: string, document: (diffId: string) => string][] = [
  ['of a newer version', (diffId) => JSON.stringify({ version: 2, diffId, created: CREATED })],
  ['without a member', (diffId) => JSON.stringify({ version: 1, diffId })],
  ['whose layer is none', () => JSON.stringify({ version: 1, diffId: 'x', created: CREATED })],
  ['whose layer it does not hold', () => JSON.stringify({ diffId: `sha256:${'0'.repeat(64)}`, created: CREATED })],
  ['that is no object', () => '[]'],
  ['that is no JSON', () => '{"version":1,'],
]
for (const [title, document] of unreadable) {
  test(`a record ${title} is no hit; the step that is taken once more replaces it, else it is collected`, async () => {
    await using kit = await cacheKit()
    const diffId = await kit.layer('one')
    await kit.cache.keep(step('replaced'), { diffId })
    await kit.cache.keep(step('left'), { diffId })
    for (const key of ['replaced', 'left']) {
      kit.rewrite(key, document(diffId))
      assert.equal(await kit.cache.find(step(key)), undefined)
    }
    const other = await kit.layer('two')
    await kit.cache.keep(step('replaced'), { diffId: other })
    await kit.intake[Symbol.asyncDispose]()
    assert.deepEqual(await cacheRecovery(kit.store.buildCache).recover(), { removed: 1, freed: 3 })
    assert.deepEqual(
      (await kit.store.buildCache.list()).map(({ key }) => key),
      ['replaced'],
    )
    assert.deepEqual(
      (await kit.store.layers.list()).map((layer) => layer.diffId),
      [other],
    )
  })
}
