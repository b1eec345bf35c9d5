import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { objectStoreContract } from './contract.ts'
import { createFileObjects } from './file-objects.ts'

objectStoreContract('files', async () => {
  const directory = await temporaryDirectory('bale-objects')
  const reopen = () => createFileObjects(directory.path)
  return { objects: reopen(), reopen, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
})

test('objects are private files in directories by the first two digits of their key', async () => {
  await using directory = await temporaryDirectory('bale-objects')
  const key = '0123456789abcdef0123456789abcdef'
  await using appender = await createFileObjects(directory.path).append(key, 0)
  await appender.sync()
  assert.equal((await stat(join(directory.path, '01', key))).mode & 0o777, 0o600)
  const missing = createFileObjects(directory.path).read(key.replace('0', 'f'))
  await assert.rejects(Array.fromAsync(missing), { code: 'ENOENT' })
})
