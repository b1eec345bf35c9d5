import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { errnoOf } from '#base'
import { packTar } from '#format/tar'
import { temporaryDirectory } from '#host/file'
import { flatten, packFile } from './index.ts'

test('a tar that is abandoned anywhere leaves no file open, also at the header of a large one', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'pack-')
  // With its header it fills a batch of the stream, which therefore ends before the data of the next file.
  writeFileSync(join(directory.path, 'a'), Buffer.alloc(64 * 1024 - 1024))
  writeFileSync(join(directory.path, 'b'), Buffer.alloc(3 * 1024 * 1024, 1))
  const isOpen = () => openFiles().some((path) => path.startsWith(directory.path))
  let sawOpen = false
  for (let taken = 1; ; taken++) {
    const tar = packTar(flatten(directory.path))
    let last: IteratorResult<Uint8Array, void> | undefined
    for (let count = 0; count < taken; count++) last = await tar.next()
    sawOpen ||= isOpen()
    await tar.return()
    assert.equal(isOpen(), false, `after ${taken} pieces`)
    if (last?.done) break
  }
  assert.ok(sawOpen)
})

test('a link that became a directory or went away since it was seen is left out', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'pack-')
  const path = join(directory.path, 'link')
  symlinkSync('elsewhere', path)
  const file = { path: 'link', stat: lstatSync(path, { bigint: true }), safePath: Buffer.from(path) }
  assert.equal(packFile(file, new Map())?.entry.linkName, 'elsewhere')
  rmSync(path)
  assert.equal(packFile(file, new Map()), undefined)
  mkdirSync(path)
  assert.equal(packFile(file, new Map()), undefined)
})

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch (error) {
      // The descriptor with which the list itself was read.
      if (errnoOf(error) !== 'ENOENT') throw error
      return []
    }
  })
}
