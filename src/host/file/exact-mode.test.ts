import assert from 'node:assert/strict'
import { constants, fstatSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { openRoot } from '../index.ts'
import { mkdirWithMode, mkdirWithModeSync, writeFileWithMode } from './index.ts'

const before = process.umask(0o077)
after(() => process.umask(before))

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)

test('directories and files that others are to see have their mode whatever the umask is', async () => {
  await using directory = await temporaryDirectory()
  const at = (name: string) => join(directory.path, name)
  await mkdirWithMode(at('a/b'), 0o755)
  mkdirWithModeSync(`${at('c/d')}/`, 0o701)
  await writeFileWithMode(at('a/file'), 'x', 0o644)
  assert.deepEqual(['a', 'a/b', 'c', 'c/d', 'a/file'].map(at).map(modeOf), ['755', '755', '701', '701', '644'])
  await mkdirWithMode(at('c/d'), 0o755)
  assert.equal(modeOf(at('c/d')), '701', 'what is there keeps its mode')
  assert.equal(modeOf(directory.path), '700')
})

test('inside a root directory too', async () => {
  await using directory = await temporaryDirectory()
  using root = openRoot(directory.path)
  root.mkdir('/d', 0o755)
  root.mkdirAll('/e/f', 0o755)
  const fd = root.open('/d/f', constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o644)
  assert.equal(fstatSync(fd).mode & 0o777, 0o644)
  assert.deepEqual(
    ['d', 'e', 'e/f'].map((name) => modeOf(join(directory.path, name))),
    ['755', '755', '755'],
  )
})
