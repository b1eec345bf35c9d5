import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, fstatSync, lstatSync, openSync, readSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { changedAt, isSameFile, openEntry, statDescriptor, statEntry } from './entry-stat.ts'
import { temporaryDirectory } from './file/index.ts'

async function opened() {
  const directory = await temporaryDirectory(tmpdir(), 'bale-stat-')
  const descriptor = openSync(directory.path, 'r')
  return {
    path: (name: string) => join(directory.path, name),
    descriptor,
    async [Symbol.asyncDispose]() {
      closeSync(descriptor)
      await directory[Symbol.asyncDispose]()
    },
  }
}

test('an entry has what lstat says of it, whatever it is', async () => {
  await using at = await opened()
  writeFileSync(at.path('file'), 'abc', { mode: 0o640 })
  execFileSync('touch', ['-d', '@-1.5', at.path('file')])
  writeFileSync(at.path('large'), '')
  truncateSync(at.path('large'), 5 * 2 ** 32 + 7)
  symlinkSync('nowhere', at.path('link'))
  execFileSync('mkfifo', [at.path('fifo')])
  const server = createServer().listen(at.path('socket'))
  for (const name of ['file', 'large', 'link', 'fifo', 'socket', '.']) {
    const expected = lstatSync(at.path(name), { bigint: true })
    const found = statEntry(at.descriptor, name)!
    assert.equal(BigInt(found.size), expected.size, name)
    assert.equal(BigInt(found.mtime) * 10n ** 9n + BigInt(found.mtimeNanoseconds), expected.mtimeNs, name)
    assert.deepEqual([found.mode, found.links], [Number(expected.mode) & 0o7777, Number(expected.nlink)], name)
    assert.deepEqual([BigInt(found.uid), BigInt(found.gid)], [expected.uid, expected.gid], name)
    assert.equal(Math.trunc(changedAt(found.identity) * 1000), Number(expected.ctimeMs), name)
    assert.equal(BigInt(found.identity[2]!) + (BigInt(found.identity[3]!) << 32n), expected.ino, name)
  }
  const types = ['file', 'link', 'fifo', 'socket', '.'].map((name) => statEntry(at.descriptor, name)?.type)
  assert.deepEqual(types, ['file', 'symlink', 'fifo', 'socket', 'directory'])
  server.close()
})

test('names that lead elsewhere, or that nothing has, are no entries', async () => {
  await using at = await opened()
  writeFileSync(at.path('a'), '')
  for (const name of ['', '..', '/etc/passwd', './a', 'a\0b', 'missing', 'x'.repeat(256)]) {
    assert.equal(statEntry(at.descriptor, name), undefined, name)
    assert.throws(() => openEntry(at.descriptor, name), { code: 'ENOENT' }, name)
  }
})

test('an entry is opened, but neither a link nor, for ever, a fifo', async () => {
  await using at = await opened()
  const name = Buffer.from([0xff, 0x41])
  writeFileSync(Buffer.concat([Buffer.from(`${at.path('')}/`), name]), 'odd')
  const file = openEntry(at.descriptor, name.toString('latin1'))
  const bytes = Buffer.alloc(10)
  assert.equal(bytes.toString('utf8', 0, readSync(file, bytes)), 'odd')
  closeSync(file)
  symlinkSync('/etc/passwd', at.path('link'))
  assert.throws(() => openEntry(at.descriptor, 'link'), { code: 'ELOOP' })
  execFileSync('mkfifo', [at.path('fifo')])
  const fifo = openEntry(at.descriptor, 'fifo')
  assert.ok(fstatSync(fifo).isFIFO())
  closeSync(fifo)
})

test('a file is the same until its data, attributes or inode change', async () => {
  await using at = await opened()
  const identity = (name = 'f') => statEntry(at.descriptor, name)!.identity.slice()
  writeFileSync(at.path('f'), 'abc')
  const first = identity()
  const file = openSync(at.path('f'), 'r')
  assert.ok(isSameFile(statDescriptor(file).identity, first))
  closeSync(file)
  const changes: Record<string, () => void> = {
    'data of the same size': () => writeFileSync(at.path('f'), 'xyz'),
    'a time set back': () => execFileSync('touch', ['-r', '/', at.path('f')]),
    mode: () => execFileSync('chmod', ['600', at.path('f')]),
    'another file under its name': () => {
      execFileSync('cp', ['-p', at.path('f'), at.path('g')])
      execFileSync('mv', [at.path('g'), at.path('f')])
    },
  }
  for (const [what, change] of Object.entries(changes)) {
    const before = identity()
    await new Promise((resolve) => setTimeout(resolve, 20))
    change()
    assert.equal(isSameFile(identity(), before), false, what)
  }
})
