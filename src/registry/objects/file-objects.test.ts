import assert from 'node:assert/strict'
import { type FileHandle, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { BaleError } from '#base'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { objectStoreContract } from './contract.ts'
import { FileAppender } from './file-appender.ts'
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

/** A file whose writes wait for each other, of which those from a position on fail. */
function watchedFile(file: FileHandle, broken = Number.POSITIVE_INFINITY): { file: FileHandle; atOnce(): number } {
  let [running, most] = [0, 0]
  const write = async (...args: [Uint8Array, number, number, number]) => {
    most = Math.max(most, ++running)
    try {
      // A third at a time, as on a slow disk: the rest is asked for again.
      if (args[3] >= broken) throw Object.assign(new Error('EIO: the disk is broken'), { code: 'EIO' })
      return await file.write(args[0], args[1], Math.ceil(args[2] / 3), args[3])
    } finally {
      running--
    }
  }
  return {
    file: new Proxy(file, { get: (own, name) => (name === 'write' ? write : Reflect.get(own, name).bind(own)) }),
    atOnce: () => most,
  }
}

test('a megabyte is written while the next one comes, in order, and its memory is not touched meanwhile', async () => {
  await using directory = await temporaryDirectory('bale-objects')
  const path = join(directory.path, 'object')
  const { file, atOnce } = watchedFile(await open(path, 'w'))
  const pieces = Array.from({ length: 90 }, (_, at) => Buffer.alloc(64 * 1024 - 7, at))
  const appender = new FileAppender({ file, position: 0, unsyncedDirectories: [], checkRoom: () => undefined })
  const chunk = Buffer.alloc(pieces[0]!.byteLength)
  for (const piece of pieces) {
    // One memory for all chunks, as a caller may have.
    piece.copy(chunk)
    await appender.write(chunk)
  }
  assert.deepEqual(await appender.sync(), { offset: Buffer.concat(pieces).byteLength })
  await appender[Symbol.asyncDispose]()
  assert.ok((await readFile(path)).equals(Buffer.concat(pieces)))
  assert.equal(atOnce(), 1)
})

test('a write that fails is told by the next call and by all that follow, and the file is closed after it', async () => {
  await using directory = await temporaryDirectory('bale-objects')
  const own = await open(join(directory.path, 'object'), 'w')
  const { file } = watchedFile(own, 1024 * 1024)
  const appender = new FileAppender({ file, position: 0, unsyncedDirectories: [], checkRoom: () => undefined })
  const mebibyte = Buffer.alloc(1024 * 1024)
  await appender.write(mebibyte)
  await appender.write(mebibyte)
  await assert.rejects(appender.write(mebibyte), { code: 'EIO' })
  await assert.rejects(appender.sync(), { code: 'EIO' })
  await assert.rejects(appender.checkpoint(), { code: 'EIO' })
  await appender[Symbol.asyncDispose]()
  assert.equal(own.fd, -1)
})

test('a full disk: what was not synced is cut off, and the next call says NO_SPACE', async () => {
  await using directory = await temporaryDirectory('bale-objects')
  const path = join(directory.path, 'object')
  let room = 2
  const checkRoom = () => {
    if (room-- === 0) throw new BaleError('NO_SPACE', 'the disk is nearly full')
  }
  const parts = { file: await open(path, 'w'), position: 0, unsyncedDirectories: [], checkRoom }
  await using appender = new FileAppender(parts)
  const mebibyte = Buffer.alloc(1024 * 1024)
  await appender.write(mebibyte)
  const { offset } = await appender.sync()
  await appender.write(mebibyte)
  await appender.write(mebibyte)
  await assert.rejects(appender.sync(), { code: 'NO_SPACE' })
  assert.equal((await stat(path)).size, offset)
})
