import assert from 'node:assert/strict'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dropFromPageCache } from '../../../test/kit/page-cache.ts'
import { until } from '../../../test/kit/until.ts'
import { mincore, mmapFile, munmap } from '../kernel/memory.ts'
import { readAhead } from './read-ahead.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const MIB = 1 << 20

function makeFile(path: string, size: number): void {
  const file = openSync(path, 'w')
  writeSync(file, Buffer.alloc(size, 'x'))
  // Dirty pages cannot be dropped.
  fsyncSync(file)
  closeSync(file)
}

/** Which pages are in memory. */
function cached(path: string, size: number): boolean[] {
  const file = openSync(path, 'r')
  const address = mmapFile(file, size)
  try {
    return Array.from(mincore(address, size), (page) => (page & 1) === 1)
  } finally {
    munmap(address, size)
    closeSync(file)
  }
}

test('parts of a cold file are read, many at once, and nothing of a warm one', async (context) => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-ahead-')
  const path = join(directory.path, 'file')
  makeFile(path, 64 * MIB)
  const all = () => assert.fail('it is in the cache')
  assert.equal(await readAhead(path, all), 'warm')
  dropFromPageCache(path)
  if (cached(path, 64 * MIB).some(Boolean)) return context.skip('the file system keeps the pages')
  // More than one call takes, and as far apart that the disk's own reading ahead does not join them.
  const parts = Array.from({ length: 1500 }, (_, index) => ({ offset: index * 40 * 1024, length: 4096 }))
  const done = await readAhead(path, () => parts)
  if (done === 'unable') return context.skip('the kernel has no process_madvise')
  assert.equal(done, 'asked')
  const isRead = (pages: boolean[]) => parts.every(({ offset }) => pages[offset / 4096])
  const pages = await until('all parts are read', () => {
    const now = cached(path, 64 * MIB)
    return isRead(now) && now
  })
  assert.ok(pages.filter(Boolean).length < pages.length / 2, 'the rest is not read')
})

test('an empty file and an empty list of parts need nothing; a missing file is an error', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-ahead-')
  const path = join(directory.path, 'file')
  makeFile(path, 0)
  assert.equal(await readAhead(path, () => []), 'warm')
  makeFile(path, MIB)
  dropFromPageCache(path)
  assert.notEqual(await readAhead(path, () => []), 'unable')
  await assert.rejects(
    readAhead(join(directory.path, 'none'), () => []),
    { code: 'ENOENT' },
  )
})
