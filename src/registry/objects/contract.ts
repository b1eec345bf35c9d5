import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IN_NO_ROW, NOTHING_WRITTEN, type ObjectStore, type Progress } from './object-store.ts'

export interface ObjectsUnderTest extends AsyncDisposable {
  objects: ObjectStore
  /** The same store as another process or replica would open it. */
  reopen(): ObjectStore
  /** How many things the store keeps, complete or not: nothing else takes space. */
  remains(): Promise<number>
}

export interface ContractOptions {
  create(): Promise<ObjectsUnderTest>
  /** Bytes at which the store does something else than before. */
  partSize: number
  /** Why the store cannot be tried here. */
  skip?: string | false
}

const keyOf = (number: number) => number.toString(16).padStart(32, '0')
const KEY = keyOf(0xabc)

type Chunk = string | Uint8Array

/** What one process writes before it records its progress and ends. */
async function write(objects: ObjectStore, from: Progress, ...chunks: Chunk[]): Promise<Progress> {
  return await writeAt(objects, KEY, from, ...chunks)
}

async function writeAt(objects: ObjectStore, key: string, from: Progress, ...chunks: Chunk[]): Promise<Progress> {
  await using appender = await objects.append(key, from, IN_NO_ROW)
  for (const chunk of chunks) await appender.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  return await appender.sync()
}

/** A complete object; its key. */
async function put(objects: ObjectStore, ...chunks: Chunk[]): Promise<string> {
  return await objects.complete(KEY, await write(objects, NOTHING_WRITTEN, ...chunks))
}

/** A writer that is killed: what it wrote last is in no row. */
async function writeAndDie(objects: ObjectStore, from: Progress, ...chunks: Chunk[]): Promise<void> {
  await using appender = await objects.append(KEY, from, IN_NO_ROW)
  for (const chunk of chunks) await appender.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
}

/** One that is killed between a sync and its row. Returns what is on record. */
async function syncAndDie(objects: ObjectStore, from: Progress, ...chunks: Chunk[]): Promise<Progress> {
  let recorded = from
  await using appender = await objects.append(KEY, from, async (progress) => {
    recorded = progress
  })
  for (const chunk of chunks) await appender.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  await appender.sync()
  return recorded
}

const bytesOf = async (stream: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(stream))
const textOf = async (stream: AsyncIterable<Uint8Array>) => (await bytesOf(stream)).toString()

/** Bytes that differ at every offset, so that a piece in the wrong place is seen. */
function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil(size / 4) * 4)
  for (let at = 0; at < size; at += 4) bytes.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at)
  return bytes.subarray(0, size)
}

function* chunksOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** What every object store of a registry promises. */
export function objectStoreContract(name: string, { create, partSize, skip }: ContractOptions): void {
  const check = (title: string, body: (under: ObjectsUnderTest) => Promise<void>) =>
    test(`${name}: ${title}`, { skip }, async () => {
      await using under = await create()
      await body(under)
    })

  check('an object is written piece by piece, each by another process, and read when it is complete', async (under) => {
    let progress = await write(under.objects, NOTHING_WRITTEN, 'recorded')
    assert.equal(progress.offset, 8)
    progress = await write(under.reopen(), progress, ' and', ' more')
    progress = await write(under.reopen(), progress)
    progress = await write(under.reopen(), progress, '!')
    assert.equal(progress.offset, 18)
    const key = await under.reopen().complete(KEY, progress)
    assert.equal(await textOf(under.reopen().read(key)), 'recorded and more!')
    assert.equal(await under.reopen().size(key), 18)
    assert.equal(await under.remains(), 1)
  })

  check('what a killed writer wrote behind the recorded progress is not part of the object', async (under) => {
    const whole = pattern(2 * partSize + 1000)
    const progress = await write(under.objects, NOTHING_WRITTEN, whole.subarray(0, 1000))
    await writeAndDie(under.objects, progress, 'x'.repeat(2 * partSize))
    const key = await under.reopen().complete(KEY, progress)
    assert.ok((await bytesOf(under.objects.read(key))).equals(whole.subarray(0, 1000)))
  })

  check('a writer goes on where another one was killed, and sends again what was lost with it', async (under) => {
    const whole = pattern(2 * partSize + 1000)
    let progress = await write(under.objects, NOTHING_WRITTEN, whole.subarray(0, partSize + 5))
    await writeAndDie(under.reopen(), progress, whole.subarray(partSize + 5, 2 * partSize + 99), 'lost')
    progress = await write(under.reopen(), progress, whole.subarray(partSize + 5))
    const key = await under.reopen().complete(KEY, progress)
    assert.ok((await bytesOf(under.objects.read(key))).equals(whole))
    assert.equal(await under.remains(), 1)
  })

  check(
    'a writer goes on where one was killed that had recorded nothing, and nothing of that one stays',
    async (under) => {
      const whole = pattern(partSize + 1000)
      await writeAndDie(under.objects, NOTHING_WRITTEN, 'x'.repeat(2 * partSize))
      const progress = await write(under.reopen(), NOTHING_WRITTEN, whole)
      const key = await under.reopen().complete(KEY, progress)
      assert.ok((await bytesOf(under.objects.read(key))).equals(whole))
      assert.equal(await under.remains(), 1)
    },
  )

  check(
    'what a writer synced and did not record is replaced by whoever goes on, and nothing of it stays',
    async (under) => {
      const whole = pattern(2 * partSize + 1000)
      for (const [size, more] of [
        [1000, 500],
        [1000, partSize],
        [partSize + 1000, 500],
      ] as const) {
        const first = await write(under.objects, NOTHING_WRITTEN, whole.subarray(0, size))
        const recorded = await syncAndDie(under.reopen(), first, 'x'.repeat(more))
        assert.equal(recorded.offset, first.offset)
        const last = await write(under.reopen(), recorded, whole.subarray(size))
        const key = await under.reopen().complete(KEY, last)
        assert.ok((await bytesOf(under.objects.read(key))).equals(whole))
        assert.equal(await under.remains(), 1)
        await under.objects.delete(key)
      }
    },
  )

  check('whichever sync was the last that was recorded, writing goes on there', async (under) => {
    const whole = pattern(partSize + 400_000)
    const steps = [100_000, 300_000, partSize - 1, partSize + 1, partSize + 200_000]
    for (const [number, recorded] of steps.entries()) {
      const key = keyOf(number)
      const made: Progress[] = []
      await using appender = await under.objects.append(key, NOTHING_WRITTEN, IN_NO_ROW)
      for (const [at, end] of steps.entries()) {
        await appender.write(whole.subarray(steps[at - 1] ?? 0, end))
        made.push(await appender.sync())
      }
      assert.equal(made[number]!.offset, recorded)
      const last = await writeAt(under.reopen(), key, made[number]!, whole.subarray(recorded))
      const complete = await under.reopen().complete(key, last)
      assert.ok((await bytesOf(under.objects.read(complete))).equals(whole), `after sync ${number}`)
    }
  })

  check('a checkpoint is a place to go on from, by this writer and by another one', async (under) => {
    const { objects } = under
    const whole = pattern(3 * partSize + 4321)
    const first = await write(objects, NOTHING_WRITTEN, whole.subarray(0, 1234))
    await using appender = await objects.append(KEY, first, IN_NO_ROW)
    const places: Progress[] = [await appender.checkpoint()]
    for (let at = 1234; at < whole.length; at += partSize / 2) {
      await appender.write(whole.subarray(at, at + partSize / 2))
      places.push(await appender.checkpoint())
      assert.ok(places.at(-1)!.offset <= Math.min(at + partSize / 2, whole.length))
    }
    assert.ok(places.at(-1)!.offset >= 3 * partSize, 'whole parts are safe')
    const end = await appender.sync()
    assert.equal(end.offset, whole.length)
    const key = await under.reopen().complete(KEY, end)
    assert.ok((await bytesOf(objects.read(key))).equals(whole))
    for (const place of places) assert.ok(place.offset >= first.offset)
  })

  check('another writer goes on from a checkpoint when the first one was killed after it', async (under) => {
    const whole = pattern(2 * partSize + 99)
    const first = await write(under.objects, NOTHING_WRITTEN, whole.subarray(0, 777))
    const place = await (async () => {
      await using appender = await under.objects.append(KEY, first, IN_NO_ROW)
      await appender.write(whole.subarray(777, partSize + 5000))
      return await appender.checkpoint()
    })()
    const end = await write(under.reopen(), place, whole.subarray(place.offset))
    const key = await under.objects.complete(KEY, end)
    assert.ok((await bytesOf(under.objects.read(key))).equals(whole))
  })

  check('chunks of any size, resumed at odd offsets, give the same bytes', async (under) => {
    const whole = pattern(partSize + 1_345_678)
    let progress = NOTHING_WRITTEN
    for (const [size, chunk] of [
      [1, 1],
      [1_048_576, 65_536],
      [777, 100],
      [1_200_000, 1_200_000],
      [Number.POSITIVE_INFINITY, 16_384],
    ] as const) {
      const piece = whole.subarray(progress.offset, progress.offset + size)
      progress = await write(under.reopen(), progress, ...chunksOf(piece, chunk))
    }
    const key = await under.objects.complete(KEY, progress)
    assert.ok((await bytesOf(under.objects.read(key))).equals(whole))
    for (const [start, end] of [
      [1_000_000, 1_500_001],
      [partSize - 1, partSize + 1],
    ] as const) {
      assert.ok((await bytesOf(under.objects.read(key, { start, end }))).equals(whole.subarray(start, end)))
    }
  })

  for (const [title, size] of [
    ['no bytes', 0],
    ['one byte less than a part', partSize - 1],
    ['one part', partSize],
    ['one byte more than a part', partSize + 1],
    ['two parts', 2 * partSize],
  ] as const) {
    check(`an object of ${title}: completed twice, by two processes, it exists once`, async (under) => {
      const whole = pattern(size)
      const progress = await write(under.objects, NOTHING_WRITTEN, ...chunksOf(whole, 1_000_000))
      assert.equal(progress.offset, size)
      const key = await under.objects.complete(KEY, progress)
      assert.equal(await under.objects.complete(KEY, progress), key)
      assert.equal(await under.reopen().complete(KEY, progress), key)
      // As a client does that missed the answer: nothing more to write, and then the end once more.
      assert.equal((await write(under.reopen(), progress)).offset, size)
      assert.equal(await under.reopen().complete(KEY, progress), key)
      assert.ok((await bytesOf(under.reopen().read(key))).equals(whole))
      assert.equal(await under.objects.size(key), size)
      assert.equal(await under.remains(), 1)
    })
  }

  check('an object of which nothing was ever written is empty when it is completed', async (under) => {
    const key = await under.objects.complete(KEY, NOTHING_WRITTEN)
    assert.equal(await under.reopen().complete(KEY, NOTHING_WRITTEN), key)
    assert.equal(await under.reopen().size(key), 0)
    assert.equal(await textOf(under.reopen().read(key)), '')
  })

  check('the caller may use its chunk again once write is fulfilled', async ({ objects }) => {
    const chunk = Buffer.alloc(partSize, 'first.')
    await using appender = await objects.append(KEY, NOTHING_WRITTEN, IN_NO_ROW)
    await appender.write(chunk)
    chunk.fill('x')
    await appender.write(Buffer.from('end'))
    const key = await objects.complete(KEY, await appender.sync())
    const expected = Buffer.concat([Buffer.alloc(partSize, 'first.'), Buffer.from('end')])
    assert.ok((await bytesOf(objects.read(key))).equals(expected))
  })

  check('ranges: from, to, empty, to the end, and past it', async ({ objects }) => {
    const key = await put(objects, '0123456789')
    assert.equal(await textOf(objects.read(key, { start: 2, end: 5 })), '234')
    assert.equal(await textOf(objects.read(key, { start: 7 })), '789')
    assert.equal(await textOf(objects.read(key, { end: 3 })), '012')
    assert.equal(await textOf(objects.read(key, { start: 4, end: 4 })), '')
    assert.equal(await textOf(objects.read(key, { start: 10 })), '')
    assert.equal(await textOf(objects.read(key, { start: 8, end: 20 })), '89')
  })

  check(
    'readers whose memory is used again get their own bytes, side by side, in ranges, and when one stops',
    async ({ objects }) => {
      const whole = pattern(partSize + 1_000_000)
      const key = await put(objects, whole)
      const reader = async (start: number, stopsAfter = Number.POSITIVE_INFINITY) => {
        let at = start
        for await (const chunk of objects.read(key, { start, reuse: true })) {
          // The chunk is looked at late, when others have read on.
          await new Promise((resolve) => setImmediate(resolve))
          assert.ok(whole.subarray(at, at + chunk.length).equals(chunk), `from ${at} on`)
          at += chunk.length
          if (at - start >= stopsAfter) return
        }
        assert.equal(at, whole.length)
      }
      const starts = Array.from({ length: 6 }, (_, index) => index * 300_000)
      await Promise.all([...starts.map((start) => reader(start)), ...starts.map((start) => reader(start, 400_000))])
      assert.equal(await textOf(objects.read(key, { start: 4, end: 4, reuse: true })), '')
      await assert.rejects(bytesOf(objects.read(keyOf(1), { reuse: true })), { code: 'ENOENT' })
    },
  )

  check('a reader may stop early, and others go on', async ({ objects }) => {
    const whole = pattern(partSize + 1_000_000)
    const key = await put(objects, whole)
    for (let times = 0; times < 20; times++) {
      for await (const chunk of objects.read(key)) {
        assert.ok(whole.subarray(0, chunk.length).equals(chunk))
        break
      }
    }
    assert.ok((await bytesOf(objects.read(key))).equals(whole))
  })

  check('an object that lost bytes that were recorded is neither written on nor completed', async (under) => {
    const { state } = await write(under.objects, NOTHING_WRITTEN, 'short')
    for (const progress of [
      { offset: 6, state },
      { offset: partSize + 1, state },
    ]) {
      await assert.rejects(write(under.reopen(), progress, 'more'), { code: 'STORE_DAMAGED' })
      await assert.rejects(under.reopen().complete(KEY, progress), { code: 'STORE_DAMAGED' })
    }
    const elsewhere = keyOf(1)
    await assert.rejects(writeAt(under.objects, elsewhere, { offset: 5 }, 'more'), { code: 'STORE_DAMAGED' })
    await assert.rejects(under.objects.complete(elsewhere, { offset: 5 }), { code: 'STORE_DAMAGED' })
    const key = await under.objects.complete(KEY, { offset: 5, state })
    assert.equal(await textOf(under.objects.read(key)), 'short')
  })

  check('what was deleted is not completed afterwards', async (under) => {
    for (const size of [100, partSize + 100]) {
      const progress = await write(under.objects, NOTHING_WRITTEN, pattern(size))
      await under.objects.delete(KEY, progress.state)
      await assert.rejects(under.reopen().complete(KEY, progress), { code: 'STORE_DAMAGED' })
      await assert.rejects(write(under.reopen(), progress, 'more'), { code: 'STORE_DAMAGED' })
      assert.equal(await under.objects.size(KEY), undefined)
    }
  })

  check('a missing object has no size, and fails when its first chunk is asked for', async ({ objects }) => {
    const stream = objects.read(KEY)
    await assert.rejects(bytesOf(stream), { code: 'ENOENT' })
    await assert.rejects(bytesOf(objects.read(KEY, { start: 1, end: 2 })), { code: 'ENOENT' })
    assert.equal(await objects.size(KEY), undefined)
    assert.deepEqual(await Array.fromAsync(objects.list()), [])
  })

  check('deleting a missing object succeeds, also twice at once', async (under) => {
    await under.objects.delete(KEY)
    for (const size of [1, partSize + 1]) {
      const key = await put(under.objects, pattern(size))
      await Promise.all([under.objects.delete(key), under.reopen().delete(key)])
      await assert.rejects(bytesOf(under.objects.read(key)), { code: 'ENOENT' })
      assert.equal(await under.objects.size(key), undefined)
    }
    assert.equal(await under.remains(), 0)
  })

  check('deleting an unfinished object leaves nothing of it, however far it came', async (under) => {
    const { objects } = under
    const progresses: (() => Promise<Progress>)[] = [
      async () => NOTHING_WRITTEN,
      () => write(objects, NOTHING_WRITTEN),
      () => write(objects, NOTHING_WRITTEN, 'a tail'),
      () => write(objects, NOTHING_WRITTEN, pattern(partSize)),
      () => write(objects, NOTHING_WRITTEN, pattern(partSize + 1)),
      async () => write(under.reopen(), await write(objects, NOTHING_WRITTEN, pattern(partSize - 1)), 'xx'),
      // Killed before it recorded anything.
      async () => {
        await writeAndDie(objects, NOTHING_WRITTEN, pattern(partSize + 1))
        return NOTHING_WRITTEN
      },
      // Killed later: what it wrote is in no row, but belongs to the same object.
      async () => {
        const progress = await write(objects, NOTHING_WRITTEN, 'a tail')
        await writeAndDie(under.reopen(), progress, pattern(partSize + 1))
        return progress
      },
      // Killed after a sync.
      () => syncAndDie(objects, NOTHING_WRITTEN, 'a tail'),
      () => syncAndDie(objects, NOTHING_WRITTEN, pattern(partSize + 1)),
      async () => syncAndDie(under.reopen(), await write(objects, NOTHING_WRITTEN, 'a tail'), 'xx'),
      async () => {
        const progress = await write(objects, NOTHING_WRITTEN, pattern(partSize + 1))
        return syncAndDie(under.reopen(), progress, pattern(partSize + 1))
      },
    ]
    for (const [number, make] of progresses.entries()) {
      const { state } = await make()
      await Promise.all([under.reopen().delete(KEY, state), under.reopen().delete(KEY, state)])
      assert.equal(await under.remains(), 0, `way ${number}`)
      await under.reopen().delete(KEY, state)
    }
  })

  check('pieces that later ones replaced are gone when the object is complete', async (under) => {
    const whole = pattern(partSize + 1_000_000)
    let progress = NOTHING_WRITTEN
    for (const step of [300_000, 300_000, partSize, 100_000, Number.POSITIVE_INFINITY]) {
      progress = await write(under.reopen(), progress, whole.subarray(progress.offset, progress.offset + step))
    }
    const key = await under.objects.complete(KEY, progress)
    assert.ok((await bytesOf(under.objects.read(key))).equals(whole))
    assert.equal(await under.remains(), 1)
  })

  check('what is listed while an object is unfinished belongs to it, by its key or its state', async (under) => {
    for (const size of [10, partSize + 10]) {
      for (const make of [write, syncAndDie]) {
        const progress = await make(under.objects, NOTHING_WRITTEN, pattern(size))
        for await (const { key } of under.reopen().list()) {
          assert.ok(key === KEY || progress.state?.includes(key), `${key} is unknown`)
        }
        await under.objects.delete(KEY, progress.state)
      }
    }
  })

  check('nothing is made that could not be recorded', async (under) => {
    const refuse = () => Promise.reject(new Error('the row is gone'))
    for (const size of [10, partSize + 10]) {
      await using appender = await under.objects.append(KEY, NOTHING_WRITTEN, refuse)
      await appender.write(pattern(size))
      // A store whose objects are found by their key alone asks for no record.
      await appender.sync().catch((error: unknown) => assert.match(String(error), /the row is gone/))
      await under.objects.delete(KEY)
      assert.equal(await under.remains(), 0)
    }
  })

  check(
    'every object is listed once with its size, however many there are, and another process sees them',
    async (under) => {
      const { objects } = under
      const expected = new Map<string, number>()
      const numbers = Array.from({ length: MANY }, (_, number) => number)
      for (let at = 0; at < MANY; at += 64) {
        const made = numbers.slice(at, at + 64).map(async (number) => {
          const written = await writeAt(objects, keyOf(number), NOTHING_WRITTEN, 'x'.repeat(number % 7))
          expected.set(await objects.complete(keyOf(number), written), number % 7)
        })
        await Promise.all(made)
      }
      const listed = await Array.fromAsync(under.reopen().list())
      assert.equal(listed.length, MANY)
      assert.deepEqual(new Map(listed.map(({ key, size }) => [key, size])), expected)
    },
  )

  check('it is known when an object was made', async (under) => {
    const before = Date.now()
    const key = await put(under.objects, 'four')
    const [listed] = await Array.fromAsync(under.reopen().list())
    assert.equal(listed!.key, key)
    // Clocks of file systems and servers are coarse.
    assert.ok(Math.abs(listed!.modified - before) < 60_000)
  })

  check('writers of different objects do not meet', async (under) => {
    const whole = pattern(300_000)
    await Promise.all(
      Array.from({ length: 16 }, async (_, number) => {
        const own = whole.subarray(number * 4)
        let progress = NOTHING_WRITTEN
        while (progress.offset < own.length) {
          const piece = own.subarray(progress.offset, progress.offset + 100_000)
          progress = await writeAt(under.objects, keyOf(number), progress, piece)
        }
        const key = await under.objects.complete(keyOf(number), progress)
        assert.ok((await bytesOf(under.objects.read(key))).equals(own))
      }),
    )
    assert.equal(await under.remains(), 16)
  })

  check('A04: a key that the registry did not make never names anything', async ({ objects }) => {
    for (const key of ['../../etc/passwd', '', 'x', KEY.toUpperCase(), `${KEY}/x`, `${KEY}\n`]) {
      await assert.rejects(async () => objects.append(key, NOTHING_WRITTEN, IN_NO_ROW), TypeError)
      await assert.rejects(async () => objects.complete(key, NOTHING_WRITTEN), TypeError)
      await assert.rejects(async () => bytesOf(objects.read(key)), TypeError)
      await assert.rejects(async () => objects.size(key), TypeError)
      await assert.rejects(async () => objects.delete(key), TypeError)
    }
  })
}

/** More than one page of the object stores that list by pages of a thousand. */
const MANY = 1100
