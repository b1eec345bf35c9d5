import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { objectStoreContract } from './contract.ts'
import { createFileObjects } from './file-objects.ts'
import { IN_NO_ROW, NOTHING_WRITTEN } from './object-store.ts'

const KEY = '0123456789abcdef0123456789abcdef'

objectStoreContract('files', {
  // Files have no parts; their writer gathers a megabyte.
  partSize: 1024 * 1024,
  async create() {
    const directory = await temporaryDirectory('bale-objects')
    const reopen = () => createFileObjects(directory.path)
    return {
      objects: reopen(),
      reopen,
      remains: async () => (await Array.fromAsync(reopen().list())).length,
      [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    }
  },
})

test('objects are private files in directories by the first two digits of their key', async () => {
  await using directory = await temporaryDirectory('bale-objects')
  const objects = createFileObjects(directory.path)
  await using appender = await objects.append(KEY, NOTHING_WRITTEN, IN_NO_ROW)
  assert.equal(await objects.complete(KEY, await appender.sync()), KEY)
  assert.equal((await stat(join(directory.path, '01', KEY))).mode & 0o777, 0o600)
})

test('completing cuts off what is behind the recorded bytes, and needs no writer', async () => {
  await using directory = await temporaryDirectory('bale-objects')
  const objects = createFileObjects(directory.path)
  {
    await using appender = await objects.append(KEY, NOTHING_WRITTEN, IN_NO_ROW)
    await appender.write(Buffer.from('recorded, and more'))
    assert.deepEqual(await appender.sync(), { offset: 18 })
  }
  await objects.complete(KEY, { offset: 8 })
  assert.equal((await stat(join(directory.path, '01', KEY))).size, 8)
})
