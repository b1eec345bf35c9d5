import assert from 'node:assert/strict'
import { openSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '#host/file'
import { fileBytes } from './entry-data.ts'

/** Reads a file as a packer does, into a target with so much room behind its bytes. */
async function read(content: string, { size, piece, room }: { size: number; piece: number; room: number }) {
  await using directory = await temporaryDirectory(tmpdir(), 'entry-data-')
  const path = join(directory.path, 'file')
  writeFileSync(path, content)
  using file = fileBytes(openSync(path, 'r'), { size }, () => '/file') as ReturnType<typeof fileBytes> & Disposable
  const target = Buffer.alloc(size + room)
  let done = 0
  do {
    const length = Math.min(piece, size - done)
    file.readInto(target.subarray(0, done + length + room), done, length, done)
    done += length
  } while (done < size)
  return target.toString('latin1', 0, size)
}

for (const room of [0, 1, 100])
  for (const piece of [3, 4, 12, 100]) {
    const how = `in pieces of ${piece} with room for ${room} more`
    test(`a file is read from front to back ${how}`, async () => {
      assert.equal(await read('twelve bytes', { size: 12, piece, room }), 'twelve bytes')
      assert.equal(await read('', { size: 0, piece, room }), '')
    })
    test(`a file that changed its size is refused ${how}`, async () => {
      const changed = { code: 'SIZE_MISMATCH', message: /^\/file had \d+ bytes/ }
      await assert.rejects(read('twelve bytes', { size: 11, piece, room }), changed)
      await assert.rejects(read('twelve bytes', { size: 13, piece, room }), changed)
      await assert.rejects(read('x', { size: 0, piece, room }), changed)
    })
  }
