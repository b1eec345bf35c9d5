import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '#host/file'
import { openSourceTree } from './source-tree.ts'

async function directoryWith(files: Record<string, string>) {
  const directory = await temporaryDirectory(tmpdir(), 'bale-tree-')
  const path = join(directory.path, 'tree')
  mkdirSync(path)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return { path, outside: directory.path, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}

const text = (chunks: Iterable<Uint8Array>) => Buffer.concat([...chunks]).toString()

test('links are followed inside the tree only, however they are written (B07)', async () => {
  await using directory = await directoryWith({ 'a/f': 'inside', f: 'top' })
  writeFileSync(join(directory.outside, 'f'), 'outside')
  const link = (target: string, name: string) => symlinkSync(target, join(directory.path, name))
  link('/a/f', 'absolute')
  link('../../../../f', 'up')
  link(join(directory.outside, 'f'), 'host')
  link('a', 'dir')
  link('loop', 'loop')
  using tree = openSourceTree(directory.path, { label: 'tree' })
  assert.equal(tree.follow('absolute'), 'a/f')
  assert.equal(tree.follow('up'), 'f')
  assert.equal(tree.follow('host'), undefined)
  assert.equal(tree.follow('dir/../dir/./f'), 'a/f')
  assert.equal(tree.follow('f/x'), undefined)
  assert.equal(tree.follow('../../f'), 'f')
  assert.throws(() => tree.follow('loop'), /too many levels of symbolic links/)
})

test('what is swapped for a link after it was listed is not followed out (B07)', async () => {
  await using directory = await directoryWith({ 'd/f': 'mine', 'd/g': 'mine' })
  mkdirSync(join(directory.outside, 'd'))
  writeFileSync(join(directory.outside, 'd/g'), 'outside')
  using tree = openSourceTree(directory.path, { label: 'tree' })
  assert.deepEqual(
    tree.list('d').map(({ name }) => name),
    ['f', 'g'],
  )
  rmSync(join(directory.path, 'd/f'))
  symlinkSync('/etc/passwd', join(directory.path, 'd/f'))
  assert.throws(() => text(tree.read('d/f', { size: 4 })), /became a symbolic link while it was being copied/)
  renameSync(join(directory.path, 'd'), join(directory.path, 'was'))
  symlinkSync(join(directory.outside, 'd'), join(directory.path, 'd'))
  using fresh = openSourceTree(directory.path, { label: 'tree' })
  assert.throws(() => text(fresh.read('d/g', { size: 4 })), { code: 'ENOENT' })
})

test('ignored files are neither listed nor opened nor reached through a link (B08)', async () => {
  await using directory = await directoryWith({ 'secret/key': '', 'secret/keep/x': '', open: '' })
  symlinkSync('secret/key', join(directory.path, 'link'))
  using tree = openSourceTree(directory.path, { label: 'tree', ignore: ['secret', '!secret/keep/x'] })
  assert.equal(tree.entry('secret/key'), undefined)
  assert.equal(tree.follow('link'), undefined)
  assert.equal(tree.follow('secret/keep/x'), 'secret/keep/x')
  assert.equal(tree.entry('secret')?.isPassage, true)
  assert.deepEqual(
    tree.list('').map(({ name }) => name),
    ['link', 'open', 'secret'],
  )
  assert.deepEqual(
    tree.list('secret').map(({ name }) => name),
    ['keep'],
  )
})

test('entries tell bytes of names, times, owners, devices and attributes', async () => {
  await using directory = await directoryWith({ f: 'abc' })
  execFileSync('touch', ['-m', '-d', '@-1.5', join(directory.path, 'f')])
  const odd = Buffer.concat([Buffer.from(`${directory.path}/`), Buffer.from([0xff, 0x41])])
  writeFileSync(odd, 'odd name')
  using tree = openSourceTree(directory.path, { label: 'tree', ownedByRoot: true })
  const f = tree.entry('f')!
  assert.deepEqual([f.type, f.size, f.mtime, f.mtimeNanoseconds, f.uid], ['file', 3, -2, 500_000_000, 0])
  assert.equal(text(tree.read('\xffA', { size: 8 })), 'odd name')
  if (process.getuid?.() !== 0) return
  execFileSync('mknod', [join(directory.path, 'device'), 'c', '1', '300'])
  const device = tree.entry('device')!
  assert.deepEqual([device.type, device.deviceMajor, device.deviceMinor], ['character', 1, 300])
})

test('a file that grew or shrank is read as it is, so that its reader notices', async () => {
  await using directory = await directoryWith({ f: 'abc' })
  using tree = openSourceTree(directory.path, { label: 'tree' })
  writeFileSync(join(directory.path, 'f'), 'abcdef')
  assert.ok(text(tree.read('f', { size: 3 })).length > 3)
  assert.equal(text(tree.read('f', { size: 60 })), 'abcdef')
})
