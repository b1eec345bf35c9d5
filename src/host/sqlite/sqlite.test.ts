import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSqlite } from './index.ts'
import type { SqliteOptions } from './sqlite.ts'

const MIGRATIONS = ['CREATE TABLE things (name TEXT PRIMARY KEY) STRICT']

async function temporarySqlite() {
  const directory = await mkdtemp(join(tmpdir(), 'bale-sqlite-'))
  const path = join(directory, 'test.db')
  const open = (options: Partial<SqliteOptions> = {}) =>
    openSqlite({ path, what: 'test', migrations: MIGRATIONS, patience: 1000, ...options })
  return { path, open, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) }
}

const names = (sqlite: { all<R>(sql: string): R[] }) =>
  sqlite.all<{ name: string }>('SELECT name FROM things ORDER BY name').map(({ name }) => name)

test('a transaction that throws leaves nothing', async () => {
  await using place = await temporarySqlite()
  using sqlite = place.open()
  const work = () => {
    sqlite.run('INSERT INTO things VALUES (?)', 'a')
    throw new Error('stop')
  }
  assert.throws(() => sqlite.transaction(work), /stop/)
  assert.deepEqual(names(sqlite), [])
})

test('an inner transaction that throws is rolled back alone when the outer one continues', async () => {
  await using place = await temporarySqlite()
  using sqlite = place.open()
  sqlite.transaction(() => {
    sqlite.run('INSERT INTO things VALUES (?)', 'outer')
    const inner = () => {
      sqlite.run('INSERT INTO things VALUES (?)', 'inner')
      throw new Error('stop')
    }
    assert.throws(() => sqlite.transaction(inner), /stop/)
    sqlite.transaction(() => sqlite.run('INSERT INTO things VALUES (?)', 'second'))
  })
  assert.deepEqual(names(sqlite), ['outer', 'second'])
})

test('an older file is migrated once, by the steps that it lacks', async () => {
  await using place = await temporarySqlite()
  place.open()[Symbol.dispose]()
  const migrations = [...MIGRATIONS, `INSERT INTO things VALUES ('migrated')`]
  place.open({ migrations })[Symbol.dispose]()
  using sqlite = place.open({ migrations })
  assert.deepEqual(names(sqlite), ['migrated'])
})

test('a newer file is refused', async () => {
  await using place = await temporarySqlite()
  place.open({ migrations: [...MIGRATIONS, ''] })[Symbol.dispose]()
  assert.throws(() => place.open(), { code: 'STORE_VERSION', details: { found: 2, known: 1 } })
})

test('a file that another process keeps busy is LOCKED, one that is no database STORE_DAMAGED', async () => {
  await using place = await temporarySqlite()
  using first = place.open()
  using second = place.open({ patience: 10 })
  first.transaction(() => {
    assert.throws(() => second.run('INSERT INTO things VALUES (?)', 'b'), { code: 'LOCKED' })
  })
  const path = `${place.path}.other`
  await writeFile(path, 'not a database, and longer than the header of one: '.repeat(10))
  assert.throws(() => place.open({ path }), { code: 'STORE_DAMAGED' })
})

test('a file for the owner alone is that from the start, with what SQLite puts beside it', async () => {
  await using place = await temporarySqlite()
  using sqlite = place.open({ ownerOnly: true })
  sqlite.run('INSERT INTO things VALUES (?)', 'a')
  for (const path of [place.path, `${place.path}-wal`, `${place.path}-shm`]) {
    assert.equal((await stat(path)).mode & 0o777, 0o600)
  }
})

test('a file that is closed by the end of processes keeps what they wrote, and its log stays short', async () => {
  await using place = await temporarySqlite()
  const program = `
    const { openSqlite } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)})
    const options = { path: ${JSON.stringify(place.path)}, what: 'test', migrations: ${JSON.stringify(MIGRATIONS)} }
    const sqlite = openSqlite({ ...options, patience: 1000, untilExit: true })
    for (let count = 0; count < 200; count++) sqlite.unsynced(() => sqlite.run('INSERT INTO things VALUES (?)', process.argv[1] + count))
    sqlite[Symbol.dispose]()
    process.exit(0)`
  const run = (name: string) => {
    const args = [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      program,
      name,
    ]
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.deepEqual([status, stderr], [0, ''])
  }
  for (const name of ['a', 'b', 'c']) run(name)
  // Twice the limit at most: what a transaction adds is copied when it is written.
  const { size } = await stat(`${place.path}-wal`)
  assert.ok(size > 0 && size < 2 * 250 * 4200, `${size} bytes`)
  {
    using sqlite = place.open()
    assert.equal(names(sqlite).length, 600)
  }
  await assert.rejects(stat(`${place.path}-wal`), { code: 'ENOENT' })
})
