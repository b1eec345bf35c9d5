import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../../test/kit/temporary.ts'
import { ANALYSER_VERSION } from '../analyser-version.ts'
import type { Inventory } from '../model.ts'
import { createInventoryCache } from './index.ts'

const MANIFEST = `sha256:${'a'.repeat(64)}` as Inventory['manifest']

test('an inventory that is too large is neither kept nor read', async () => {
  await using directory = await temporaryDirectory()
  const cache = createInventoryCache(directory.path)
  const one = { analyser: ANALYSER_VERSION, manifest: MANIFEST, layers: [], packages: [], gaps: [] }
  await cache.put({ ...one, gaps: [{ where: 'x', reason: 'x'.repeat(64 << 20) }] })
  assert.deepEqual(readdirSync(directory.path), [])
  await cache.put(one)
  writeFileSync(join(directory.path, readdirSync(directory.path)[0]!), JSON.stringify(one).padEnd((64 << 20) + 1))
  assert.equal(await cache.get(MANIFEST), undefined)
})
