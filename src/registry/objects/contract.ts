import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObjectStore } from './object-store.ts'

export interface ObjectsUnderTest extends AsyncDisposable {
  objects: ObjectStore
  /** The same store as another process or replica would open it. */
  reopen(): ObjectStore
}

const keyOf = (number: number) => number.toString(16).padStart(32, '0')
const KEY = keyOf(0xabc)

async function write(objects: ObjectStore, key: string, offset: number, ...chunks: (string | Uint8Array)[]) {
  await using appender = await objects.append(key, offset)
  for (const chunk of chunks) await appender.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  await appender.sync()
}

const bytesOf = async (stream: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(stream))
const textOf = async (stream: AsyncIterable<Uint8Array>) => (await bytesOf(stream)).toString()

/** Bytes that differ at every offset, so that a piece in the wrong place is seen. */
function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at)
  return bytes
}

/** What every object store of a registry promises. */
export function objectStoreContract(name: string, create: () => Promise<ObjectsUnderTest>): void {
  const check = (title: string, body: (under: ObjectsUnderTest) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using under = await create()
      await body(under)
    })

  check(
    'an object grows from the offset that its row knows; what was written behind that is cut off',
    async (under) => {
      const { objects } = under
      await write(objects, KEY, 0, 'recorded, then not recorded')
      await write(objects, KEY, 8, '!')
      assert.equal(await textOf(objects.read(KEY)), 'recorded!')
      await write(objects, KEY, 9, ' and', ' more')
      assert.equal(await textOf(objects.read(KEY)), 'recorded! and more')
      await write(objects, KEY, 0, 'new')
      assert.equal(await textOf(objects.read(KEY)), 'new')
    },
  )

  check('a writer that died without a sync leaves an object that goes on where it was synced', async (under) => {
    const { objects } = under
    await write(objects, KEY, 0, 'synced')
    {
      await using appender = await objects.append(KEY, 6)
      await appender.write(pattern(3_000_000))
    }
    await write(under.reopen(), KEY, 6, ', and on')
    assert.equal(await textOf(under.reopen().read(KEY)), 'synced, and on')
  })

  check('several syncs of one writer each make safe what came before', async (under) => {
    const { objects } = under
    const whole = pattern(5_000_001)
    await using appender = await objects.append(KEY, 0)
    for (let at = 0; at < whole.length; at += 777_777) {
      await appender.write(whole.subarray(at, at + 777_777))
      await appender.sync()
      const safe = Math.min(at + 777_777, whole.length)
      assert.ok((await bytesOf(under.reopen().read(KEY, { end: safe }))).equals(whole.subarray(0, safe)))
    }
  })

  check('chunks of any size, resumed at odd offsets, give the same bytes', async ({ objects }) => {
    const whole = pattern(2_345_678)
    let offset = 0
    for (const [size, chunk] of [
      [1, 1],
      [1_048_576, 65_536],
      [777, 100],
      [1_200_000, 1_200_000],
      [Number.POSITIVE_INFINITY, 16_384],
    ] as const) {
      const end = Math.min(offset + size, whole.length)
      const chunks: Buffer[] = []
      for (let at = offset; at < end; at += chunk) chunks.push(whole.subarray(at, Math.min(at + chunk, end)))
      await write(objects, KEY, offset, ...chunks)
      offset = end
    }
    assert.ok((await bytesOf(objects.read(KEY))).equals(whole))
    assert.ok(
      (await bytesOf(objects.read(KEY, { start: 1_000_000, end: 1_500_001 }))).equals(
        whole.subarray(1_000_000, 1_500_001),
      ),
    )
  })

  check('the caller may use its chunk again once write is fulfilled', async ({ objects }) => {
    const chunk = Buffer.from('first.')
    await using appender = await objects.append(KEY, 0)
    await appender.write(chunk)
    chunk.write('second')
    await appender.write(chunk)
    await appender.sync()
    assert.equal(await textOf(objects.read(KEY)), 'first.second')
  })

  check('ranges: from, to, empty, and to the end', async ({ objects }) => {
    await write(objects, KEY, 0, '0123456789')
    assert.equal(await textOf(objects.read(KEY, { start: 2, end: 5 })), '234')
    assert.equal(await textOf(objects.read(KEY, { start: 7 })), '789')
    assert.equal(await textOf(objects.read(KEY, { end: 3 })), '012')
    assert.equal(await textOf(objects.read(KEY, { start: 4, end: 4 })), '')
    assert.equal(await textOf(objects.read(KEY, { start: 10 })), '')
  })

  check('an object that lost bytes that were recorded is not written on', async ({ objects }) => {
    await write(objects, KEY, 0, 'short')
    await assert.rejects(objects.append(KEY, 6), { code: 'STORE_DAMAGED' })
    assert.equal(await textOf(objects.read(KEY)), 'short')
  })

  check('a missing object fails when its first chunk is asked for, and can be begun only at 0', async ({ objects }) => {
    const stream = objects.read(KEY)
    await assert.rejects(bytesOf(stream))
    await assert.rejects(objects.append(KEY, 1))
    assert.deepEqual(await Array.fromAsync(objects.list()), [])
  })

  check(
    'deleting what is not there is success, also twice at once; the key can be begun again',
    async ({ objects }) => {
      await objects.delete(KEY)
      await write(objects, KEY, 0, 'x')
      await Promise.all([objects.delete(KEY), objects.delete(KEY)])
      await assert.rejects(bytesOf(objects.read(KEY)))
      await write(objects, KEY, 0, 'again')
      assert.equal(await textOf(objects.read(KEY)), 'again')
    },
  )

  check(
    'every object is listed once with its size, however many there are, and another process sees them',
    async (under) => {
      const numbers = Array.from({ length: MANY }, (_, number) => number)
      for (let at = 0; at < MANY; at += 64) {
        await Promise.all(
          numbers.slice(at, at + 64).map((number) => write(under.objects, keyOf(number), 0, 'x'.repeat(number % 7))),
        )
      }
      const listed = await Array.fromAsync(under.reopen().list())
      assert.deepEqual(
        listed.map(({ key, size }) => ({ key, size })).toSorted((a, b) => (a.key < b.key ? -1 : 1)),
        numbers.map((number) => ({ key: keyOf(number), size: number % 7 })),
      )
    },
  )

  check('the size of an object is known, and when it was changed; of none there is none', async (under) => {
    assert.equal(await under.objects.size(KEY), undefined)
    const before = Date.now()
    await write(under.objects, KEY, 0, 'four')
    assert.equal(await under.reopen().size(KEY), 4)
    const [listed] = await Array.fromAsync(under.objects.list())
    // Clocks of file systems and servers are coarse.
    assert.ok(Math.abs(listed!.modified - before) < 60_000)
  })

  check('writers of different objects do not meet', async ({ objects }) => {
    const whole = pattern(300_000)
    await Promise.all(
      Array.from({ length: 16 }, async (_, number) => {
        const own = whole.subarray(number * 4)
        for (let offset = 0; offset < own.length; offset += 100_000) {
          await write(objects, keyOf(number), offset, own.subarray(offset, offset + 100_000))
        }
        assert.ok((await bytesOf(objects.read(keyOf(number)))).equals(own))
      }),
    )
  })

  check('A04: a key that the registry did not make never names anything', async ({ objects }) => {
    for (const key of ['../../etc/passwd', '', 'x', KEY.toUpperCase(), `${KEY}/x`, `${KEY}\n`]) {
      await assert.rejects(async () => objects.append(key, 0), TypeError)
      await assert.rejects(async () => bytesOf(objects.read(key)), TypeError)
      await assert.rejects(async () => objects.delete(key), TypeError)
    }
  })
}

/** More than one page of the object stores that list by pages of a thousand. */
const MANY = 1100
