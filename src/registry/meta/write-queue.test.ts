import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '#host/file'
import { openSqlite, type Sqlite } from '#host/sqlite'
import { WriteQueue } from './write-queue.ts'

async function temporaryQueue(limit = '') {
  const directory = await temporaryDirectory(tmpdir())
  const migrations = [`CREATE TABLE things (name TEXT PRIMARY KEY, content BLOB) STRICT; ${limit}`]
  const file = openSqlite({ path: join(directory.path, 'db'), what: 'test', migrations, patience: 100 })
  const queue = new WriteQueue(() => undefined)
  queue.openings = 1
  return {
    file,
    queue,
    names: () => file.all<{ name: string }>('SELECT name FROM things ORDER BY name').map(({ name }) => name),
    async [Symbol.asyncDispose]() {
      await queue.end()
      file[Symbol.dispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

/** Counts commits: transactions within none. */
function counting(file: Sqlite): { file: Sqlite; commits(): number } {
  let commits = 0
  const counted = Object.create(file, {
    inTransaction: { get: () => file.inTransaction },
    transactionLater: {
      value: (work: () => Promise<unknown>, options: object) => {
        if (!file.inTransaction) commits++
        return file.transactionLater(work, options)
      },
    },
  }) as Sqlite
  return { file: counted, commits: () => commits }
}

const add =
  (file: Sqlite, name: string, size = 0) =>
  async () =>
    file.run('INSERT INTO things VALUES (?, ?)', name, new Uint8Array(size))

test('transactions that wait together have one commit, in their order; one that fails leaves nothing and stops no other', async () => {
  await using place = await temporaryQueue()
  const { file, commits } = counting(place.file)
  const order: number[] = []
  const outcomes = await Promise.allSettled(
    Array.from({ length: 60 }, (_, number) =>
      place.queue.add(
        file,
        async () => {
          order.push(number)
          await add(place.file, `thing ${100 + number}`)()
          if (number % 10 === 3) throw new Error(`no ${number}`)
          return number
        },
        true,
      ),
    ),
  )
  assert.deepEqual(
    order,
    [...order].toSorted((a, b) => a - b),
  )
  for (const [number, outcome] of outcomes.entries()) {
    if (number % 10 === 3) assert.match(String((outcome as PromiseRejectedResult).reason), RegExp(`no ${number}$`))
    else assert.equal((outcome as PromiseFulfilledResult<number>).value, number)
  }
  assert.equal(place.names().length, 54)
  assert.ok(!place.names().includes('thing 113'))
  assert.equal(commits(), 1)
})

test('when the disk is full, what fits is written, and each transaction is told of itself', async () => {
  await using place = await temporaryQueue('PRAGMA max_page_count = 60')
  const sizes = [1000, 1000, 1_000_000, 1000, 1_000_000, 1000]
  const outcomes = await Promise.allSettled(
    sizes.map((size, number) => place.queue.add(place.file, add(place.file, `thing ${number}`, size), true)),
  )
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'done' : (outcome.reason as { code: string }).code)),
    ['done', 'done', 'NO_SPACE', 'done', 'NO_SPACE', 'done'],
  )
  assert.deepEqual(place.names(), ['thing 0', 'thing 1', 'thing 3', 'thing 5'])
})

test('while another process has the file, all that wait are refused after one patience', async () => {
  await using place = await temporaryQueue()
  const other = openSqlite({
    path: place.file.get<{ file: string }>('PRAGMA database_list')!.file,
    what: 'test',
    migrations: [''],
    patience: 100,
  })
  try {
    const began = performance.now()
    await other.transactionLater(async () => {
      const waiting = Array.from({ length: 30 }, (_, number) =>
        place.queue.add(place.file, add(place.file, `thing ${number}`), true),
      )
      for (const outcome of await Promise.allSettled(waiting)) {
        assert.equal(((outcome as PromiseRejectedResult).reason as { code: string }).code, 'LOCKED')
      }
    })
    assert.ok(performance.now() - began < 2000)
    await place.queue.add(place.file, add(place.file, 'after'), true)
    assert.deepEqual(place.names(), ['after'])
  } finally {
    other[Symbol.dispose]()
  }
})

test('two openings of a file take turns', async () => {
  await using place = await temporaryQueue()
  const { file: path } = place.file.get<{ file: string }>('PRAGMA database_list')!
  using second = openSqlite({ path, what: 'test', migrations: [''], patience: 100 })
  await Promise.all(
    Array.from({ length: 40 }, (_, number) => {
      const file = number % 3 === 0 ? second : place.file
      return place.queue.add(file, add(file, `thing ${number}`), number % 2 === 0)
    }),
  )
  assert.equal(place.names().length, 40)
})
