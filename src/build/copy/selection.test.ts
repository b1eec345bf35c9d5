import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '#host/file'
import { openSourceTree } from '../context/index.ts'
import { ContentHasher, contentDigest } from './content-digest.ts'
import { firstItem, hasOneItem, type SelectedItem, selectSources } from './selection.ts'

const PLAIN = { excludes: [], parents: false }

test('every iteration gives all items, of a tree that is kept and of one that is listed again', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-selection-')
  using tree = openSourceTree(directory.path, { label: 'tree' })
  const file = (index: number) => join(directory.path, `d${Math.floor(index / 500)}`, `f${index}`)
  const COUNT = 40_100
  for (const size of [10, COUNT]) {
    for (let index = 0; index < size; index++) {
      if (index % 500 === 0) mkdirSync(join(file(index), '..'), { recursive: true })
      writeFileSync(file(index), '')
    }
    const [selection] = selectSources(tree, '.', PLAIN)
    assert.equal(firstItem(selection!)?.relative, '')
    assert.equal(hasOneItem(selection!), false)
    const lists = [1, 2, 3].map(() => Array.from(selection!.items, ({ relative }) => relative))
    assert.equal(lists[0]!.length, 1 + Math.ceil(size / 500) + size)
    assert.deepEqual(lists[1], lists[0])
    assert.deepEqual(lists[2], lists[0])
    assert.equal(new Set(lists[0]).size, lists[0]!.length)
  }
  // What was listed again is as it is then.
  const [selection] = selectSources(tree, '.', PLAIN)
  const before = [...selection!.items].length
  rmSync(file(COUNT - 1))
  assert.equal([...selection!.items].length, before - 1)
})

test('one item is one, and none is none', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-selection-')
  using tree = openSourceTree(directory.path, { label: 'tree' })
  writeFileSync(join(directory.path, 'one'), 'x')
  const [one] = selectSources(tree, 'one', PLAIN)
  assert.deepEqual([hasOneItem(one!), firstItem(one!)?.entry.size], [true, 1])
  assert.deepEqual(selectSources(tree, 'no*', PLAIN), [])
  const [none] = selectSources(tree, 'one', { excludes: [], parents: true })
  assert.equal(hasOneItem(none!), false)
})

test('who takes all items in turn makes the same digest as who reads them', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-selection-')
  using tree = openSourceTree(directory.path, { label: 'tree' })
  mkdirSync(join(directory.path, 'd'))
  for (const [name, text] of [
    ['a', 'one'],
    ['d/b', 'two'],
  ] as const)
    writeFileSync(join(directory.path, name), text)
  const selections = selectSources(tree, '.', PLAIN)
  const follow = (digestOf: (item: SelectedItem) => string) => {
    const content = new ContentHasher()
    for (const selection of selections)
      for (const item of content.following(selection).items)
        if (item.entry.type === 'file') content.wrote(digestOf(item))
    return content.digest()
  }
  const read = (item: SelectedItem) => createHash('sha256').update(item.readAtOnce!()!).digest('hex')
  assert.equal(follow(read), await contentDigest(selections))
  // What was written counts, not what is there.
  const other = (item: SelectedItem) => (item.relative === 'a' ? '0'.repeat(64) : read(item))
  assert.notEqual(follow(other), await contentDigest(selections))
  const [selection] = selections
  assert.throws(() => [...new ContentHasher().following(selection!).items], { code: 'INTERNAL' })
})
