import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../../test/kit/temporary.ts'
import { ANALYSER_VERSION } from '../analyser-version.ts'
import type { Inventory } from '../model.ts'
import { createInventoryCache } from './index.ts'

function inventoryOf(character: string, more: Partial<Inventory> = {}): Inventory {
  const manifest = `sha256:${character.repeat(64)}` as Inventory['manifest']
  return { analyser: ANALYSER_VERSION, manifest, layers: [], packages: [], gaps: [], ...more }
}

const ONE = inventoryOf('a')

test('what was put is found again, and counts as used then', async () => {
  await using parent = await temporaryDirectory()
  const directory = join(parent.path, 'below', 'cache')
  const cache = createInventoryCache(directory)
  assert.equal(await cache.get(ONE.manifest), undefined)
  await cache.put(ONE)
  const [name] = readdirSync(directory) as [string]
  await utimes(join(directory, name), 1, 1)
  assert.deepEqual(await cache.get(ONE.manifest), ONE)
  assert.ok(statSync(join(directory, name)).mtimeMs > 1000)
})

test('a file that is damaged or no file is as good as none', async () => {
  await using directory = await temporaryDirectory()
  const cache = createInventoryCache(directory.path)
  await cache.put(ONE)
  const path = join(directory.path, readdirSync(directory.path)[0]!)
  for (const content of ['', '{', '{}', JSON.stringify({ ...ONE, analyser: 0 })]) {
    writeFileSync(path, content)
    assert.equal(await cache.get(ONE.manifest), undefined)
  }
  const blocked = createInventoryCache(path)
  assert.equal(await blocked.get(ONE.manifest), undefined)
  await blocked.put(ONE)
})

test('a full or read-only cache causes no failure, and what is in it is found', async (t) => {
  await using parent = await temporaryDirectory()
  const small = join(parent.path, 'small')
  mkdirSync(small)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]).status !== 0)
    return t.skip('mounting a small tmpfs needs root')
  const cache = createInventoryCache(small)
  await cache.put(ONE)
  const large = inventoryOf('b', { gaps: [{ where: 'x', reason: 'x'.repeat(2 << 20) }] })
  await cache.put(large)
  assert.equal(await cache.get(large.manifest), undefined)
  assert.equal(spawnSync('mount', ['-o', 'remount,ro', small]).status, 0)
  await cache.put(inventoryOf('c'))
  assert.deepEqual(await cache.get(ONE.manifest), ONE)
})

test('beyond a thousand, the least recently used inventories are removed', async () => {
  await using directory = await temporaryDirectory()
  for (let index = 0; index < 1000; index++) {
    const path = join(directory.path, `${index}.json`)
    writeFileSync(path, '')
    await utimes(path, index + 1, index + 1)
  }
  await createInventoryCache(directory.path).put(ONE)
  const names = readdirSync(directory.path)
  assert.deepEqual([names.length, names.includes('0.json'), names.includes('1.json')], [1000, false, true])
})

test('an inventory whose text would be too long for a string is not kept, and causes no failure', async () => {
  await using directory = await temporaryDirectory()
  const cache = createInventoryCache(directory.path)
  const gap = {
    where: 'x',
    /** What JSON.stringify does when the text becomes too long; a real one takes ten seconds. */
    get reason(): string {
      throw new RangeError('Invalid string length')
    },
  }
  await cache.put(inventoryOf('a', { gaps: [gap] }))
  assert.deepEqual(readdirSync(directory.path), [])
})
