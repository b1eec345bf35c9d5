import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PackedEntry } from '#format/tar'
import { temporaryDirectory } from '#host/file'
import { writeDirectory } from './write-directory.ts'

const entries = (...list: PackedEntry[]) =>
  (async function* () {
    yield* list
  })()

test('a tree is written with modes, times and links; devices are left out', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-output-')
  const out = join(directory.path, 'new/out')
  const skipped = await writeDirectory(
    entries(
      { entry: { name: './', type: 'directory' } },
      { entry: { name: 'd/', type: 'directory', mode: 0o500, mtime: 1000 } },
      { entry: { name: 'd/f', type: 'file', size: 3, mode: 0o4755, mtime: 2000 }, data: Buffer.from('abc') },
      { entry: { name: 'd/g', type: 'hardlink', linkName: 'd/f' } },
      { entry: { name: 'l', type: 'symlink', linkName: '/etc/passwd' } },
      { entry: { name: 'null', type: 'character', deviceMajor: 1, deviceMinor: 3 } },
    ),
    out,
  )
  assert.equal(skipped, 1)
  const seen = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%p %m %n %T@ %l\n'], {
    cwd: out,
    encoding: 'utf8',
  })
  const lines = seen.split('\n').filter(Boolean).sort()
  assert.deepEqual(
    lines.map((line) => line.replace('.0000000000', '')).filter((line) => !line.startsWith('./l')),
    ['./d 500 2 1000 ', './d/f 4755 2 2000 ', './d/g 4755 2 2000 '],
  )
  assert.match(lines.at(-1)!, /^\.\/l 777 1 .* \/etc\/passwd$/)
})

test('R20 links that lie in the directory lead nothing out of it, and what is there is replaced', async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-output-')
  const outside = join(directory.path, 'outside')
  const out = join(directory.path, 'out')
  mkdirSync(outside)
  mkdirSync(out)
  writeFileSync(join(outside, 'f'), 'host')
  symlinkSync(outside, join(out, 'd'))
  symlinkSync(join(outside, 'f'), join(out, 'x'))
  mkdirSync(join(out, 'y'))
  await writeDirectory(
    entries(
      { entry: { name: 'd/', type: 'directory' } },
      { entry: { name: 'd/f', type: 'file', size: 1 }, data: Buffer.from('1') },
      { entry: { name: 'x', type: 'file', size: 1 }, data: Buffer.from('2') },
      { entry: { name: 'y', type: 'file', size: 1 }, data: Buffer.from('3') },
    ),
    out,
  )
  assert.equal(readFileSync(join(outside, 'f'), 'utf8'), 'host')
  assert.deepEqual(
    ['d/f', 'x', 'y'].map((name) => readFileSync(join(out, name), 'utf8')),
    ['1', '2', '3'],
  )
})
