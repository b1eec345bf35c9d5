import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeDirectory } from './make-directory.ts'
import { temporaryDirectory } from './temporary-directory.ts'

test('a directory is made with those above it, for its owner alone; one that is there is left as it is', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-directory-')
  const path = join(directory.path, 'a/b/c')
  makeDirectory(path)
  makeDirectory(path)
  for (const made of ['a', 'a/b', 'a/b/c']) assert.equal(statSync(join(directory.path, made)).mode & 0o777, 0o700)
})

test('a place where no directory can be made is refused at once', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-directory-')
  const file = join(directory.path, 'file')
  writeFileSync(file, '')
  for (const path of [file, `${file}/below`, '/dev/null', '/proc/none/below', join(directory.path, 'x'.repeat(300))])
    assert.throws(() => makeDirectory(path), { code: 'UNSUPPORTED_HOST', message: /cannot be created/ }, path)
})
