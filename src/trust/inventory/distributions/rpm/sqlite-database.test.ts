import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { readBytes, temporaryDirectory } from '#host/file'
import { processorTime } from '../../../../../test/kit/processor-time.ts'
import { analyse, databaseContract, encodeHeader, FACTS, reasons } from './contract.ts'

const PATH = 'var/lib/rpm/rpmdb.sqlite'
const TABLE = `CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)`
const HEADERS = FACTS.map(encodeHeader)

const insert = (headers: readonly Buffer[]) => (database: DatabaseSync) => {
  database.exec(TABLE)
  database.exec('BEGIN')
  const statement = database.prepare('INSERT INTO Packages (blob) VALUES (?)')
  for (const header of headers) statement.run(header)
  database.exec('COMMIT')
}

const namesIn = async (bytes: Buffer, log?: Buffer) =>
  (await analyse(PATH, bytes, log)).packages?.map(({ name }) => name) ?? []

for (const pageSize of [512, 4096, 65536]) {
  const what = `SQLite with pages of ${pageSize} bytes`
  databaseContract({ what, path: PATH, make: (headers) => makeSqlite(insert(headers), pageSize) })
}

test('rows of each length are whole, wherever the page ends', async () => {
  const licenses = Array.from({ length: 1600 }, (_, index) => 'l'.repeat(index + 1))
  const facts = licenses.map((license, index) => ({ name: `p${index}`, version: '1', release: '1', license }))
  const found = await analyse(PATH, await makeSqlite(insert(facts.map(encodeHeader)), 512))
  assert.deepEqual(
    found.packages?.map((one) => one.licences?.[0]),
    licenses,
  )
})

test('committed pages of the write-ahead log count, and what was not committed does not', async () => {
  const { bytes, log } = await withLog((database) => {
    insert(HEADERS.slice(0, 1))(database)
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.prepare('INSERT INTO Packages (blob) VALUES (?)').run(HEADERS[3]!)
    // So little memory for pages that some are written to the log before they are committed.
    database.exec('PRAGMA cache_size = 1; BEGIN')
    for (let times = 0; times < 50; times++)
      database.prepare('INSERT INTO Packages (blob) VALUES (?)').run(encodeHeader({ ...FACTS[3]!, name: 'undone' }))
  })
  assert.ok(log.includes('undone'))
  assert.deepEqual(await namesIn(bytes), ['bash'])
  assert.deepEqual(await namesIn(bytes, log), ['bash', 'nodejs'])
})

test('a write-ahead log is read up to where it is damaged or ends', async () => {
  const { bytes, log } = await withLog((database) => {
    database.exec(TABLE)
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    for (const header of [HEADERS[0]!, HEADERS[1]!])
      database.prepare('INSERT INTO Packages (blob) VALUES (?)').run(header)
  })
  assert.deepEqual(await namesIn(bytes, log), ['bash', 'openssl-libs'])
  assert.deepEqual(await namesIn(bytes, log.subarray(0, -1)), ['bash'])
  const changed = Buffer.from(log)
  changed[changed.length - 1]! ^= 1
  assert.deepEqual(await namesIn(bytes, changed), ['bash'])
  for (const useless of [log.subarray(0, 20), Buffer.alloc(8192, 1), Buffer.alloc(0)])
    assert.deepEqual(await namesIn(bytes, useless), [])
})

test('V01 a view, a virtual table or a table without row numbers by the name of the packages is not read', async () => {
  const schemas = [
    'CREATE TABLE a (x, y); CREATE VIEW Packages AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT 1, x FROM n',
    'CREATE VIRTUAL TABLE Packages USING fts5(hnum, blob)',
  ]
  for (const schema of schemas) {
    const bytes = await makeSqlite((database) => database.exec(schema))
    assert.deepEqual(reasons(await analyse(PATH, bytes)), ['the rpm database has no table of packages'])
  }
  const bytes = await makeSqlite((database) => {
    database.exec('CREATE TABLE Packages (hnum, blob, PRIMARY KEY (hnum)) WITHOUT ROWID')
    database.prepare('INSERT INTO Packages VALUES (1, ?)').run(HEADERS[0]!)
  })
  assert.deepEqual(reasons(await analyse(PATH, bytes)), ['a page of the rpm database is damaged'])
})

test('triggers and indexes do not matter', async () => {
  const bytes = await makeSqlite((database) => {
    insert(HEADERS)(database)
    database.exec('CREATE TABLE Name (key TEXT, hnum INTEGER); CREATE INDEX Name_key_idx ON Name(key)')
    database.exec('CREATE TRIGGER t AFTER DELETE ON Packages BEGIN SELECT 1; END')
  })
  assert.deepEqual(await namesIn(bytes), ['bash', 'openssl-libs', 'nodejs'])
})

test('what was deleted is not found', async () => {
  const bytes = await makeSqlite((database) => {
    insert(HEADERS)(database)
    database.exec('DELETE FROM Packages WHERE hnum IN (1, 4)')
  })
  assert.deepEqual(await namesIn(bytes), ['openssl-libs'])
})

/** With 100 to the power of 8 ways to one page, SQLite does not come back from opening such a file. */
test('V01 pages that each name the next one a hundred times are read once', async () => {
  const bytes = await makeSqlite((database) => database.exec(TABLE))
  const levels = Array.from({ length: 8 }, (_, level) => interiorPage(0, 3 + level + 1))
  const first = interiorPage(100, 4)
  bytes.copy(first, 0, 0, 100)
  const whole = Buffer.concat([first, bytes.subarray(PAGE), ...levels, Buffer.alloc(PAGE)])
  whole[(levels.length + 3) * PAGE] = LEAF
  const spent = processorTime()
  const found = await analyse(PATH, whole)
  assert.ok(spent() < 1000)
  assert.ok(reasons(found).includes('the rpm database has no table of packages'))
})

test('cells that overlap give no more than their page has', async () => {
  const bytes = await makeSqlite(
    insert([encodeHeader({ name: 'a', version: '1', release: '1', license: 'x'.repeat(3000) })]),
  )
  const leaf = bytes.subarray(bytes.indexOf('xxxx') - (bytes.indexOf('xxxx') % PAGE)).subarray(0, PAGE)
  assert.equal(leaf[0], LEAF)
  leaf.writeUInt16BE(200, 3)
  for (let index = 1; index < 200; index++) leaf.copy(leaf, 8 + index * 2, 8, 10)
  const found = await analyse(PATH, bytes)
  assert.equal(found.packages?.length, 1)
  assert.deepEqual(reasons(found), ['a part of the rpm database is used twice'])
})

test('other encodings than UTF-8 are refused in words', async () => {
  const bytes = await makeSqlite((database) => database.exec(`PRAGMA encoding = 'UTF-16le'; ${TABLE}`))
  assert.match(reasons(await analyse(PATH, bytes))[0]!, /UTF-16/)
})

const PAGE = 4096
const LEAF = 0x0d

/** A page of a tree whose hundred pointers all lead to the page `child`. */
function interiorPage(head: number, child: number): Buffer {
  const page = Buffer.alloc(PAGE)
  page[head] = 0x05
  page.writeUInt16BE(100, head + 3)
  page.writeUInt32BE(child, head + 8)
  for (let index = 0; index < 100; index++) {
    const cell = PAGE - 5 * (index + 1)
    page.writeUInt16BE(cell, head + 12 + index * 2)
    page.writeUInt32BE(child, cell)
  }
  return page
}

async function makeSqlite(fill: (database: DatabaseSync) => void, pageSize = PAGE): Promise<Buffer> {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-sqlite-')
  const path = join(directory.path, 'rpmdb.sqlite')
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA page_size = ${pageSize}`)
  fill(database)
  database.close()
  return readBytes(path)
}

/** The database and its log as a process leaves them that is killed. */
async function withLog(fill: (database: DatabaseSync) => void): Promise<{ bytes: Buffer; log: Buffer }> {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-sqlite-')
  const path = join(directory.path, 'rpmdb.sqlite')
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL')
  fill(database)
  const left = { bytes: await readBytes(path), log: await readBytes(`${path}-wal`) }
  database.close()
  return left
}
