import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { Digest } from '#spec'
import { blobStoreContract } from './contract.ts'
import { createFileBlobs, createMemoryBlobs, digestOf, passedOn, verifying } from './index.ts'

blobStoreContract('memory', async () => {
  const store = createMemoryBlobs()
  return { store, reopen: () => store, [Symbol.asyncDispose]: async () => undefined }
})

async function temporaryStore() {
  const directory = await mkdtemp(join(tmpdir(), 'bale-blobs-'))
  const open = () => createFileBlobs({ directory: join(directory, 'blobs'), temporary: join(directory, 'tmp') })
  return {
    directory,
    store: open(),
    reopen: open,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

blobStoreContract('files', temporaryStore)

test('files: a blob is a read-only file in private directories, and no partial stays behind', async () => {
  await using under = await temporaryStore()
  const digest = digestOf('modes')
  await using writer = await under.store.writer(digest)
  await writer.write(Buffer.from('modes'))
  await writer.commit({ digest, size: 5 })
  const path = under.store.pathOf(digest)
  assert.equal(path, join(under.directory, 'blobs/sha256', digest.slice(7)))
  assert.equal((await stat(path)).mode & 0o777, 0o444)
  assert.equal((await stat(join(under.directory, 'blobs/sha256'))).mode & 0o777, 0o700)
  assert.equal((await stat(join(under.directory, 'tmp'))).mode & 0o777, 0o700)
  assert.deepEqual(
    (await readdir(join(under.directory, 'tmp'))).filter((name) => name.endsWith('.partial')),
    [],
  )
})

test('M01: files: a forged digest never becomes a path', async () => {
  await using under = await temporaryStore()
  assert.throws(() => under.store.pathOf('sha256:../../../etc/passwd' as Digest), /not a digest/)
})

async function* chunks(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text)
}

test('M01: a stream that checks itself is not hashed again, unless something else is expected of it', async () => {
  const expected = { digest: digestOf('abc'), size: 3 }
  const self = verifying(chunks('abd'), expected)
  assert.equal(verifying(self, { ...expected }), self)
  const handedOn = passedOn(self, (bytes) => Readable.from(bytes))
  assert.equal(verifying(handedOn, expected), handedOn)
  await assert.rejects(Array.fromAsync(handedOn), { code: 'DIGEST_MISMATCH' })
  for (const other of [
    { digest: digestOf('abd'), size: 3 },
    { ...expected, size: 4 },
  ]) {
    const twice = verifying(verifying(chunks('abc'), expected), other)
    await assert.rejects(Array.fromAsync(twice), /should have 4|DIGEST|digest/)
  }
  const plain = passedOn(chunks('abd'), (bytes) => Readable.from(bytes))
  await assert.rejects(Array.fromAsync(verifying(plain, expected)), { code: 'DIGEST_MISMATCH' })
})

test('M01: verifying stops at the first byte too many, and finds short streams and wrong bytes', async () => {
  const digest = digestOf('abc')
  assert.equal((await Array.fromAsync(verifying(chunks('a', 'bc'), { digest, size: 3 }))).length, 2)
  await assert.rejects(Array.fromAsync(verifying(chunks('ab'), { digest, size: 3 })), { code: 'SIZE_MISMATCH' })
  await assert.rejects(Array.fromAsync(verifying(chunks('abd'), { digest, size: 3 })), { code: 'DIGEST_MISMATCH' })
  let asked = 0
  let returned = false
  async function* endless() {
    try {
      while (asked < 100) {
        asked++
        yield new Uint8Array(2)
      }
    } finally {
      returned = true
    }
  }
  await assert.rejects(Array.fromAsync(verifying(endless(), { digest, size: 3 })), { code: 'SIZE_MISMATCH' })
  assert.deepEqual([asked, returned], [2, true])
})

test('a full disk is NO_SPACE; the writer refuses to commit what it could not write, and another one resumes', async (t) => {
  await using under = await temporaryStore()
  const small = join(under.directory, 'small')
  await mkdir(small)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]).status !== 0)
    return t.skip('mounting a small tmpfs needs root')
  try {
    const store = createFileBlobs({ directory: join(small, 'blobs'), temporary: join(small, 'tmp') })
    const content = Buffer.alloc(3 * 1024 * 1024, 7)
    const digest = digestOf(content)
    {
      await using writer = await store.writer(digest)
      await assert.rejects(writer.write(content), { code: 'NO_SPACE' })
      await assert.rejects(writer.commit({ digest, size: content.byteLength }), /earlier write .* failed/)
    }
    assert.equal(await store.stat(digest), undefined)
    assert.equal(spawnSync('mount', ['-o', 'remount,size=8m', small]).status, 0)
    await using writer = await store.writer(digest)
    assert.ok(writer.offset > 0 && writer.offset < content.byteLength)
    await writer.write(content.subarray(writer.offset))
    await writer.commit({ digest, size: content.byteLength })
    assert.deepEqual(await store.stat(digest), { size: content.byteLength })
  } finally {
    spawnSync('umount', [small])
  }
})

test('a writer that is killed leaves its lock and its bytes to the next process', async () => {
  await using under = await temporaryStore()
  const digest = digestOf('x'.repeat(2_000_000))
  const script = `
    const { createFileBlobs } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)})
    const store = createFileBlobs(${JSON.stringify({ directory: join(under.directory, 'blobs'), temporary: join(under.directory, 'tmp') })})
    const writer = await store.writer(${JSON.stringify(digest)})
    await writer.write(Buffer.alloc(1_500_000, 'x'))
    process.stdout.write('written')
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', script])
  await once(child.stdout, 'data')
  await assert.rejects(under.store.writer(digest, { patience: 20 }), { code: 'LOCKED' })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await using writer = await under.store.writer(digest)
  assert.equal(writer.offset, 1_500_000)
  await writer.write(Buffer.alloc(500_000, 'x'))
  await writer.commit({ digest, size: 2_000_000 })
})
