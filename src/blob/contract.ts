import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BaleError } from '#base'
import type { Digest } from '#spec'
import type { BlobStore, BlobWriter } from './blob-store.ts'
import { digestOf } from './hasher.ts'

export interface StoreUnderTest {
  store: BlobStore
  /** The same store as another process would see it. */
  reopen(): BlobStore
  [Symbol.asyncDispose](): Promise<void>
}

const bytes = (text: string) => new TextEncoder().encode(text)

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function put(store: BlobStore, content: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Promise<Digest> {
  const digest = digestOf(content, algorithm)
  await using writer = await store.writer(digest)
  await writer.write(content)
  await writer.commit({ digest, size: content.byteLength })
  return digest
}

/** What every blob store promises. */
export function blobStoreContract(name: string, create: () => Promise<StoreUnderTest>): void {
  const check = (title: string, body: (under: StoreUnderTest) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using under = await create()
      await body(under)
    })

  for (const algorithm of ['sha256', 'sha512'] as const) {
    check(`a committed ${algorithm} blob is listed, has its size, and reads whole and in ranges`, async ({ store }) => {
      const digest = await put(store, bytes('hello blob'), algorithm)
      assert.deepEqual(await store.stat(digest), { size: 10 })
      assert.equal(await textOf(await store.read(digest)), 'hello blob')
      assert.equal(await textOf(await store.read(digest, { start: 6 })), 'blob')
      assert.equal(await textOf(await store.read(digest, { start: 1, end: 4 })), 'ell')
      assert.equal(await textOf(await store.read(digest, { start: 8, end: 99 })), 'ob')
      assert.deepEqual(await Array.fromAsync(store.list()), [{ digest, size: 10 }])
    })
  }

  check('a writer tells the digest of what was written so far, and goes on', async ({ store }) => {
    const content = bytes('hello blob')
    for (const [key, algorithm] of [
      ['some-key', 'sha256'],
      [digestOf(content, 'sha512'), 'sha512'],
    ] as const) {
      await using writer = await store.writer(key)
      await writer.write(content.subarray(0, 5))
      assert.equal(writer.digest(), digestOf(content.subarray(0, 5), algorithm))
      await writer.reset()
      assert.equal(writer.digest(), digestOf('', algorithm))
      await writer.write(content)
      const digest = writer.digest()
      assert.equal(digest, digestOf(content, algorithm))
      await writer.commit({ digest, size: content.byteLength })
      assert.throws(() => writer.digest(), { code: 'INTERNAL' })
      assert.equal(await textOf(await store.read(digest)), 'hello blob')
    }
  })

  check('chunks of all sizes arrive in order, and the caller may reuse its buffer', async ({ store }) => {
    const sizes = [1, 70_000, 300_000, 5, 1_048_576, 262_144, 2_000_003, 17]
    const parts = sizes.map((size, index) => Buffer.alloc(size, index + 1))
    const whole = Buffer.concat(parts)
    const digest = digestOf(whole)
    await using writer = await store.writer(digest)
    const buffer = Buffer.alloc(2_000_003)
    for (const part of parts) {
      part.copy(buffer)
      await writer.write(buffer.subarray(0, part.byteLength))
      buffer.fill(0)
    }
    assert.equal(writer.offset, whole.byteLength)
    await writer.commit({ digest, size: whole.byteLength })
    const read = Buffer.concat(await Array.fromAsync(await store.read(digest)))
    assert.equal(digestOf(read), digest)
  })

  check('the empty blob is a blob', async ({ store }) => {
    const digest = await put(store, bytes(''))
    assert.deepEqual(await store.stat(digest), { size: 0 })
    assert.equal(await textOf(await store.read(digest)), '')
  })

  check('a blob that is not there has no stat and cannot be read; deleting it is success', async ({ store }) => {
    const digest = digestOf('nowhere')
    assert.equal(await store.stat(digest), undefined)
    await assert.rejects(store.read(digest), { code: 'BLOB_NOT_FOUND' })
    await store.delete(digest)
  })

  check('M01: other bytes than announced are refused and leave nothing', async ({ store }) => {
    const digest = digestOf('good')
    await using writer = await store.writer(digest)
    await writer.write(bytes('evil'))
    await assert.rejects(writer.commit({ digest, size: 4 }), { code: 'DIGEST_MISMATCH' })
    assert.equal(await store.stat(digest), undefined)
    await using again = await store.writer(digest)
    assert.equal(again.offset, 0)
  })

  check('M01: fewer or more bytes than announced are refused and leave nothing', async ({ store }) => {
    const digest = digestOf('good')
    for (const size of [3, 5, -1]) {
      await using writer = await store.writer(digest)
      await writer.write(bytes('good'))
      await assert.rejects(writer.commit({ digest, size }), { code: 'SIZE_MISMATCH' })
      assert.equal(await store.stat(digest), undefined)
    }
  })

  check('an interrupted write is resumed, also by another process', async ({ store, reopen }) => {
    const digest = digestOf('first second')
    {
      await using writer = await store.writer(digest)
      await writer.write(bytes('first '))
    }
    assert.equal(await store.stat(digest), undefined)
    await using writer = await reopen().writer(digest)
    assert.equal(writer.offset, 6)
    await writer.write(bytes('second'))
    await writer.commit({ digest, size: 12 })
    assert.equal(await textOf(await store.read(digest)), 'first second')
  })

  check('reset and discard forget what was written', async ({ store }) => {
    const digest = digestOf('right')
    {
      await using writer = await store.writer(digest)
      await writer.write(bytes('wrong'))
      await writer.reset()
      assert.equal(writer.offset, 0)
      await writer.write(bytes('half'))
      await writer.discard()
    }
    await using writer = await store.writer(digest)
    assert.equal(writer.offset, 0)
    await writer.write(bytes('right'))
    await writer.commit({ digest, size: 5 })
  })

  check('a blob is read while it is written: as far as it is there, to its end, also after that', async ({ store }) => {
    const parts = [1, 400_000, 2, 1_500_000].map((size, index) => Buffer.alloc(size, index + 1))
    const content = Buffer.concat(parts)
    await using writer = await store.writer('growing')
    const late = writer.follow()
    const early = writer.follow()[Symbol.asyncIterator]()
    const first = early.next()
    await writer.write(parts[0]!)
    await writer.write(parts[1]!)
    const got = [(await first).value!]
    assert.ok(got[0]!.byteLength > 0)
    for (const part of parts.slice(2)) await writer.write(part)
    await writer.commit({ digest: digestOf(content), size: content.length })
    for (let next = await early.next(); !next.done; next = await early.next()) got.push(next.value)
    assert.equal(digestOf(Buffer.concat(got)), digestOf(content))
    assert.equal(digestOf(Buffer.concat(await Array.fromAsync(late))), digestOf(content))
  })

  check('who reads a blob that never gets whole is told, and does not wait for ever', async ({ store }) => {
    const ways: ((writer: BlobWriter) => Promise<unknown>)[] = [
      (writer) => writer.discard(),
      (writer) => writer.reset(),
      async (writer) => await writer[Symbol.asyncDispose](),
      (writer) => assert.rejects(writer.commit({ digest: digestOf('else'), size: 4 }), { code: 'DIGEST_MISMATCH' }),
      (writer) => assert.rejects(writer.commit({ digest: digestOf('half'), size: 5 }), { code: 'SIZE_MISMATCH' }),
    ]
    for (const [index, end] of ways.entries()) {
      await using writer = await store.writer(`given-up-${index}`)
      await writer.write(bytes('half'))
      const reading = Array.fromAsync(writer.follow())
      // Rejected while nobody awaits it.
      reading.catch(() => undefined)
      await end(writer)
      await assert.rejects(reading, { code: 'ABORTED' })
    }
  })

  check('a key that is no digest may be committed under a digest of either algorithm', async ({ store }) => {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const digest = digestOf('later known', algorithm)
      await using writer = await store.writer('upload-1')
      await writer.write(bytes('later known'))
      await writer.commit({ digest, size: 11 })
      assert.deepEqual(await store.stat(digest), { size: 11 })
    }
  })

  check('committing what is there already is success', async ({ store }) => {
    const digest = await put(store, bytes('twice'))
    assert.equal(await put(store, bytes('twice')), digest)
    assert.equal(await textOf(await store.read(digest)), 'twice')
  })

  check('a second writer of a key waits for the first, and gives up with LOCKED', async ({ store, reopen }) => {
    const digest = digestOf('once')
    const first = await store.writer(digest)
    for (const other of [store, reopen()]) {
      await assert.rejects(other.writer(digest, { patience: 30 }), { code: 'LOCKED' })
      const stop = new AbortController()
      const waiting = other.writer(digest, { signal: stop.signal })
      stop.abort(new BaleError('ABORTED', 'stopped'))
      await assert.rejects(waiting, { code: 'ABORTED' })
    }
    const waiting = store.writer(digest)
    await first.write(bytes('once'))
    await first.commit({ digest, size: 4 })
    await using second = await waiting
    assert.equal(second.offset, 0)
    assert.deepEqual(await store.stat(digest), { size: 4 })
  })

  check('M01: a key with a slash, dots or control characters never becomes a path', async ({ store }) => {
    for (const key of ['../x', 'a/b', '..', '', 'A', 'a\u0000', 'sha256:../../etc/passwd', 'x'.repeat(129)]) {
      await assert.rejects(store.writer(key), { code: 'INVALID_ARGUMENT' }, JSON.stringify(key))
    }
  })

  check('a closed writer refuses to write', async ({ store }) => {
    const writer = await store.writer('closed')
    await writer.discard()
    await writer.discard()
    await assert.rejects(writer.write(bytes('x')), { code: 'INTERNAL', message: /closed/ })
  })

  check('what is deleted is gone', async ({ store }) => {
    const digest = await put(store, bytes('short life'))
    await store.delete(digest)
    assert.equal(await store.stat(digest), undefined)
    assert.deepEqual(await Array.fromAsync(store.list()), [])
  })
}
