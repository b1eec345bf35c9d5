import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory, writeData } from './file/index.ts'
import { sparseExtents } from './index.ts'

test('the data of a file that is mostly holes is found; other files are read whole', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const fd = openSync(join(directory.path, 'f'), 'w+')
  const MIB = 1 << 20
  const size = 2 ** 42 + 5
  try {
    ftruncateSync(fd, size)
    writeSync(fd, 'a', 5000)
    writeSync(fd, 'b', 3 * MIB - 1)
    writeSync(fd, 'c', size - 1)
    assert.deepEqual(sparseExtents(fd, size), [
      { offset: 0, length: MIB },
      { offset: 2 * MIB, length: MIB },
      { offset: 2 ** 42, length: 5 },
    ])
    ftruncateSync(fd, 200 * MIB)
    assert.equal(sparseExtents(fd, 200 * MIB), undefined)
    ftruncateSync(fd, 0)
    ftruncateSync(fd, 2 ** 40)
    assert.deepEqual(sparseExtents(fd, 2 ** 40), [])
  } finally {
    closeSync(fd)
  }
})

test('zeros are written as holes, and all else at its place', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const path = join(directory.path, 'f')
  const bytes = Buffer.alloc(3_000_000)
  bytes.fill('x', 100_000, 100_010)
  bytes.fill('y', 2_999_999)
  const fd = openSync(path, 'w')
  try {
    for (let at = 0; at < bytes.length; at += 777_777) writeData(fd, bytes.subarray(at, at + 777_777), at)
    ftruncateSync(fd, bytes.length)
  } finally {
    closeSync(fd)
  }
  assert.ok(readFileSync(path).equals(bytes))
  assert.ok(statSync(path).blocks * 512 < 400_000)
})
