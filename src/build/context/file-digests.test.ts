/** Digests of files that are remembered from build to build. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '#base'
import { mountTmpfs, unmount, writeXattr } from '#host'
import { readBytesSync, temporaryDirectory } from '#host/file'
import { fileDigestsSize, pruneFileDigests } from './file-digests.ts'
import { hasReliableTimes } from './reliable-times.ts'
import { openSourceTree, type SourceTree } from './source-tree.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

function isUnreliable(): string | false {
  const directory = openSync(tmpdir(), 'r')
  try {
    return hasReliableTimes(directory)
      ? false
      : 'the temporary directory is on a file system whose times are not trusted'
  } finally {
    closeSync(directory)
  }
}

const skip = isUnreliable()
const skipWithoutRoot = skip || (process.getuid?.() === 0 ? false : 'needs root')

async function directories() {
  const directory = await temporaryDirectory(tmpdir(), 'bale-digests-')
  const store = join(directory.path, 'store')
  const files = join(directory.path, 'files')
  mkdirSync(store)
  mkdirSync(files)
  const path = (name: string) => join(files, name)
  const open = (offset: number) =>
    openSourceTree(files, {
      label: 'tree',
      remember: { storeRoot: store, clock: { ...systemClock, now: () => Date.now() + offset } },
    })
  return {
    store,
    path,
    put: (name: string, content: string) => writeFileSync(path(name), content),
    /** Reads all files as a build does that long from now, then saves; answers what was known before. */
    async build(
      offset: number,
      { directory = '', meanwhile }: { directory?: string; meanwhile?: () => void } = {},
    ): Promise<Record<string, string | undefined>> {
      using tree = open(offset)
      const listed = tree.list(directory).filter(({ entry }) => entry.type === 'file')
      meanwhile?.()
      for (const { name, entry } of listed) tree.remember(entry, hashOf(tree, join(directory, name), entry))
      await tree.save()
      return Object.fromEntries(listed.map(({ name, entry }) => [name, entry.known?.digest]))
    },
    /** The one file of digests. */
    saved: () => {
      const names = readdirSync(join(store, 'context-digests'))
      assert.equal(names.length, 1)
      return join(store, 'context-digests', names[0]!)
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

function hashOf(tree: SourceTree, name: string, entry: Parameters<SourceTree['read']>[1]): string {
  const hash = createHash('sha256')
  for (const chunk of tree.read(name, entry)) hash.update(chunk)
  return hash.digest('hex')
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

test('what was read before is known as long as nothing changes', { skip }, async () => {
  await using at = await directories()
  at.put('a', 'one')
  at.put('b', 'two')
  linkSync(at.path('a'), at.path('c'))
  assert.deepEqual(await at.build(MINUTE), { a: undefined, b: undefined, c: undefined })
  const known = { a: sha256('one'), b: sha256('two'), c: sha256('one') }
  assert.deepEqual(await at.build(2 * MINUTE), known)
  const { mtimeMs } = statSync(at.saved())
  assert.deepEqual(await at.build(3 * MINUTE), known)
  assert.equal(statSync(at.saved()).mtimeMs, mtimeMs, 'nothing new, nothing written')
  assert.equal(statSync(at.saved()).mode & 0o777, 0o600)
})

test('a file that changed in any way is not known', { skip }, async (t) => {
  const setBack = (path: string) => utimesSync(path, 1_700_000_000, 1_700_000_000)
  const changes: Record<string, (path: string) => void> = {
    'same size': (path) => writeFileSync(path, 'abd'),
    'same size, in place': (path) => {
      const file = openSync(path, 'r+')
      writeSync(file, 'x', 1)
      closeSync(file)
    },
    'same size and time of change': (path) => {
      writeFileSync(path, 'abd')
      setBack(path)
    },
    longer: (path) => writeFileSync(path, 'abcd'),
    mode: (path) => execFileSync('chmod', ['600', path]),
    'replaced by a copy with the same time': (path) => {
      writeFileSync(`${path}.new`, 'abd')
      setBack(`${path}.new`)
      renameSync(`${path}.new`, path)
    },
    'an attribute': (path) => writeXattr(Buffer.from(path), 'user.note', Buffer.from('x')),
  }
  for (const [what, change] of Object.entries(changes)) {
    await t.test(what, async () => {
      await using at = await directories()
      at.put('f', 'abc')
      setBack(at.path('f'))
      await at.build(MINUTE)
      assert.deepEqual(await at.build(2 * MINUTE), { f: sha256('abc') })
      change(at.path('f'))
      assert.deepEqual(await at.build(3 * MINUTE), { f: undefined })
    })
  }
})

test('of a file that changed a moment ago nothing is remembered', { skip }, async () => {
  await using at = await directories()
  at.put('f', 'abc')
  // Its own time says that it is old.
  utimesSync(at.path('f'), 1_700_000_000, 1_700_000_000)
  await at.build(0)
  assert.deepEqual(await at.build(1000), { f: undefined })
  await at.build(39_000)
  assert.deepEqual(await at.build(MINUTE), { f: undefined })
  assert.deepEqual(await at.build(MINUTE + 1000), { f: sha256('abc') })
})

test('the digest of another file that took its place is not remembered for it', { skip }, async () => {
  await using at = await directories()
  mkdirSync(at.path('d'))
  at.put('d/f', 'abc')
  // Moving a directory changes nothing about the files in it.
  await at.build(MINUTE, {
    directory: 'd',
    meanwhile() {
      renameSync(at.path('d'), at.path('was'))
      mkdirSync(at.path('d'))
      at.put('d/f', 'xyz')
    },
  })
  rmSync(at.path('d'), { recursive: true })
  renameSync(at.path('was'), at.path('d'))
  assert.deepEqual(await at.build(2 * MINUTE, { directory: 'd' }), { f: undefined })
  assert.deepEqual(await at.build(3 * MINUTE, { directory: 'd' }), { f: sha256('abc') })
})

test('a file that grows while it is read is not remembered', { skip }, async () => {
  await using at = await directories()
  at.put('f', 'abc')
  await at.build(MINUTE, { meanwhile: () => at.put('f', 'abcdef') })
  assert.deepEqual(await at.build(2 * MINUTE), { f: undefined })
  assert.deepEqual(await at.build(3 * MINUTE), { f: sha256('abcdef') })
})

test('when the clock was set back, nothing is believed', { skip }, async () => {
  await using at = await directories()
  at.put('f', 'abc')
  await at.build(10 * MINUTE)
  assert.deepEqual(await at.build(5 * MINUTE), { f: undefined })
  assert.deepEqual(await at.build(6 * MINUTE), { f: sha256('abc') })
})

test('a damaged file of digests is as good as none, and replaced', { skip }, async (t) => {
  const flipped = (at: number) => (path: string) => {
    const bytes = readBytesSync(path)
    bytes[at < 0 ? bytes.length + at : at]! ^= 1
    writeFileSync(path, bytes)
  }
  const damages: Record<string, (path: string) => void> = {
    empty: (path) => truncateSync(path, 0),
    short: (path) => truncateSync(path, 100),
    'cut by a byte': (path) => truncateSync(path, statSync(path).size - 1),
    'a bit of a digest': flipped(-40),
    'a bit of the head': flipped(10),
    'a bit of the sum': flipped(-1),
    'something else': (path) => writeFileSync(path, 'x'.repeat(4000)),
    'larger than any': (path) => truncateSync(path, 1 << 30),
    gone: (path) => rmSync(path),
  }
  for (const [what, damage] of Object.entries(damages)) {
    await t.test(what, async () => {
      await using at = await directories()
      at.put('f', 'abc')
      await at.build(MINUTE)
      damage(at.saved())
      assert.deepEqual(await at.build(2 * MINUTE), { f: undefined })
      assert.deepEqual(await at.build(3 * MINUTE), { f: sha256('abc') })
    })
  }
})

test('where nothing can be written nothing is remembered, and nothing fails', { skip }, async (t) => {
  await t.test('a file in place of the directory', async () => {
    await using at = await directories()
    writeFileSync(join(at.store, 'context-digests'), '')
    at.put('f', 'abc')
    await at.build(MINUTE)
    assert.deepEqual(await at.build(2 * MINUTE), { f: undefined })
  })
  await t.test('a full disk', { skip: skipWithoutRoot }, async () => {
    await using at = await directories()
    mountTmpfs(at.store, 'size=16k')
    try {
      for (let index = 0; index < 1000; index++) at.put(String(index), String(index))
      await at.build(MINUTE)
      assert.deepEqual(Object.values(await at.build(2 * MINUTE)).filter(Boolean), [])
      assert.deepEqual(readdirSync(join(at.store, 'context-digests')), [], 'nothing half-written stays')
    } finally {
      unmount(at.store)
    }
  })
  await t.test('a disk that is read-only', { skip: skipWithoutRoot }, async () => {
    await using at = await directories()
    mountTmpfs(at.store, 'ro')
    try {
      at.put('f', 'abc')
      await at.build(MINUTE)
      assert.deepEqual(await at.build(2 * MINUTE), { f: undefined })
    } finally {
      unmount(at.store)
    }
  })
})

test('files with holes or attributes, and of other file systems, are read every time', {
  skip: skipWithoutRoot,
}, async () => {
  await using at = await directories()
  at.put('plain', 'abc')
  at.put('attribute', 'abc')
  writeXattr(Buffer.from(at.path('attribute')), 'user.note', Buffer.from('x'))
  at.put('holes', 'abc')
  truncateSync(at.path('holes'), 1 << 30)
  at.put('elsewhere', '')
  at.put('../mounted', '')
  mkdirSync(at.path('../memory'))
  mountTmpfs(at.path('../memory'), 'size=1m')
  writeFileSync(at.path('../memory/f'), 'abc')
  execFileSync('mount', ['--bind', at.path('../memory/f'), at.path('elsewhere')])
  try {
    await at.build(MINUTE)
    assert.deepEqual(await at.build(2 * MINUTE), {
      ...{ attribute: undefined, elsewhere: undefined, holes: undefined },
      plain: sha256('abc'),
    })
  } finally {
    unmount(at.path('elsewhere'))
    unmount(at.path('../memory'))
  }
})

test('several builds at once leave a whole file', { skip }, async () => {
  await using at = await directories()
  for (let index = 0; index < 200; index++) at.put(String(index), String(index))
  await Promise.all([at.build(MINUTE), at.build(MINUTE), at.build(MINUTE)])
  const known = await at.build(2 * MINUTE)
  for (let index = 0; index < 200; index++) assert.equal(known[index], sha256(String(index)))
  at.saved()
})

test('thousands of files are each found again, also after some were changed', { skip }, async () => {
  await using at = await directories()
  const names = Array.from({ length: 4000 }, (_, index) => String(index))
  for (const name of names) at.put(name, name)
  await at.build(MINUTE)
  for (const name of names.filter((_, index) => index % 3 === 0)) at.put(name, `${name} changed`)
  const after = await at.build(2 * MINUTE)
  for (const [index, name] of names.entries()) assert.equal(after[name], index % 3 === 0 ? undefined : sha256(name))
  const last = await at.build(3 * MINUTE)
  for (const [index, name] of names.entries())
    assert.equal(last[name], sha256(index % 3 === 0 ? `${name} changed` : name))
})

test('what no build asked for in two weeks is forgotten; pruning forgets all', { skip }, async () => {
  await using at = await directories()
  at.put('old', 'old')
  at.put('used', 'used')
  await at.build(MINUTE)
  const two = statSync(at.saved()).size
  renameSync(at.path('old'), at.path('../old'))
  await at.build(8 * DAY)
  assert.equal(statSync(at.saved()).size, two)
  await at.build(16 * DAY)
  assert.ok(statSync(at.saved()).size < two)
  assert.deepEqual(await at.build(17 * DAY), { used: sha256('used') })
  const size = await fileDigestsSize(at.store)
  assert.ok(size > 0)
  assert.equal(await pruneFileDigests(at.store), size)
  assert.equal(await fileDigestsSize(at.store), 0)
  assert.deepEqual(await at.build(18 * DAY), { used: undefined })
})
