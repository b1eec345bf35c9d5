import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolder } from './make-folder.ts'
import { temporaryFolder } from './temporary-folder.ts'

test('a folder is made with those above it, for its owner alone; one that is there is left as it is', async () => {
  await using folder = await temporaryFolder(tmpdir(), 'bale-folder-')
  const path = join(folder.path, 'a/b/c')
  makeFolder(path)
  makeFolder(path)
  for (const made of ['a', 'a/b', 'a/b/c']) assert.equal(statSync(join(folder.path, made)).mode & 0o777, 0o700)
})

test('a place where no folder can be made is refused at once', { timeout: 5000 }, async () => {
  await using folder = await temporaryFolder(tmpdir(), 'bale-folder-')
  const file = join(folder.path, 'file')
  writeFileSync(file, '')
  for (const path of [file, `${file}/below`, '/dev/null', '/proc/none/below', join(folder.path, 'x'.repeat(300))])
    assert.throws(() => makeFolder(path), { code: 'UNSUPPORTED_HOST', message: /cannot be made/ }, path)
})
