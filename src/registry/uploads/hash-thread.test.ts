import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { digestOf } from '#blob'
import { until } from '../../../test/kit/until.ts'
import { BLOCK, createHashThread } from './hash-thread.ts'
import { createHasherCache } from './hasher-cache.ts'
import { createUploadHasher } from './upload-hasher.ts'

const thread = (options: Parameters<typeof createHashThread>[0] = {}) =>
  createHashThread({ processors: 2, ...options })!

test('digests are those of all bytes, whatever the chunks, with looks in between, side by side', async () => {
  await using shared = thread()
  const chunk = fc.record({
    length: fc.constantFrom(0, 1, 1000, 65_536, BLOCK - 1, BLOCK, 3 * BLOCK + 7),
    look: fc.boolean(),
  })
  const plan = fc.record({
    algorithm: fc.constantFrom('sha256' as const, 'sha512' as const),
    chunks: fc.array(chunk, { maxLength: 12 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(plan, { minLength: 1, maxLength: 4 }), async (plans) => {
      await Promise.all(
        plans.map(async ({ algorithm, chunks }, which) => {
          using hasher = createUploadHasher(shared, algorithm)
          let all = Buffer.alloc(0)
          for (const { length, look } of chunks) {
            const bytes = Buffer.alloc(length, which * 16 + (all.length % 13))
            await hasher.update(bytes)
            all = Buffer.concat([all, bytes])
            // Its memory is the caller's again.
            bytes.fill(255)
            if (look) assert.equal(await hasher.digest(), digestOf(all, algorithm))
          }
          assert.deepEqual([hasher.size, await hasher.digest()], [all.length, digestOf(all, algorithm)])
        }),
      )
    }),
    { numRuns: 60 },
  )
})

test('a thread that ended knows nothing of what it hashed, and the next upload has another one', async () => {
  await using shared = thread({ idle: 100 })
  const bytes = Buffer.alloc(5 * BLOCK, 'x')
  using before = createUploadHasher(shared)
  await before.update(bytes)
  assert.equal(await before.digest(), digestOf(bytes))
  await until('it ended', async () => (await before.digest()) === undefined)
  await before.update(bytes)
  assert.deepEqual([before.size, await before.digest()], [10 * BLOCK, undefined])
  using after = createUploadHasher(shared)
  await after.update(bytes)
  assert.equal(await after.digest(), digestOf(bytes))
})

test('what is in use does not end, and few bytes need no thread', async () => {
  await using shared = thread({ idle: 1000 })
  using slow = createUploadHasher(shared)
  using small = createUploadHasher(shared)
  await small.update(Buffer.from('small'))
  const all = Buffer.alloc(8 * BLOCK, 'y')
  for (let at = 0; at < 8; at++) {
    await slow.update(all.subarray(at * BLOCK, (at + 1) * BLOCK))
    await sleep(160)
  }
  assert.equal(await slow.digest(), digestOf(all))
  await sleep(1500)
  assert.equal(await small.digest(), digestOf('small'))
})

test('a thread that is ended in the middle leaves nobody waiting', async () => {
  const shared = thread()
  const hashers = Array.from({ length: 5 }, () => createUploadHasher(shared))
  const busy = hashers.map(async (hasher) => {
    for (let at = 0; at < 40; at++) await hasher.update(Buffer.alloc(BLOCK, at))
    return await hasher.digest()
  })
  await sleep(5)
  await shared[Symbol.asyncDispose]()
  for (const digest of await Promise.all(busy)) assert.ok(digest === undefined || digest.startsWith('sha256:'))
})

test('a machine of one processor hashes without a thread', async () => {
  assert.equal(createHashThread({ processors: 1 }), undefined)
  using hasher = createUploadHasher(undefined, 'sha512')
  await hasher.update(Buffer.alloc(3 * BLOCK, 'z'))
  assert.equal(await hasher.digest(), digestOf(Buffer.alloc(3 * BLOCK, 'z'), 'sha512'))
})

test('hashes of uploads that wait for their next chunk hold no blocks', async () => {
  await using shared = thread()
  const cache = createHasherCache()
  const blocks = new Set<SharedArrayBuffer>()
  const counted = {
    ...{ begin: shared.begin.bind(shared), [Symbol.asyncDispose]: async () => undefined },
    takeBlock: () => {
      const block = shared.takeBlock()
      blocks.add(block)
      return block
    },
    giveBack: (block: SharedArrayBuffer) => shared.giveBack(block),
  }
  for (let upload = 0; upload < 300; upload++) {
    const hasher = createUploadHasher(counted)
    await hasher.update(Buffer.alloc(1000 + (upload % 2) * BLOCK, upload))
    await hasher.digest()
    cache.keep(`${upload}`, hasher)
  }
  assert.ok(blocks.size < 12, `${blocks.size} blocks`)
  const content = Buffer.alloc(1000, 298)
  assert.equal(await cache.take('298', 1000)?.digest(), digestOf(content))
  assert.equal(cache.take('0', 1000), undefined, 'the oldest are forgotten')
})
