import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { IDENTITY_WORDS } from '#host'
import { DigestTable, MOST_RECORDS, RECORD_WORDS } from './digest-table.ts'

const identity = (inode: number, version = 0) => {
  const words = new Uint32Array(IDENTITY_WORDS)
  words[2] = inode
  words[IDENTITY_WORDS - 1] = version
  return words
}
const digest = (text: string) => createHash('sha256').update(text).digest('hex')
const TODAY = 20_000

/** What a later build loads. */
function reloaded(table: DigestTable, today = TODAY): DigestTable {
  const records = [...table.kept(today)].map((words) => Buffer.from(words.buffer, words.byteOffset, words.byteLength))
  const bytes = Buffer.concat(records)
  return new DigestTable(Uint32Array.from({ length: bytes.length / 4 }, (_, word) => bytes.readUInt32LE(word * 4)))
}

test('records are found again, those of before and those that were added, over the borders of pieces', () => {
  let table = new DigestTable(new Uint32Array(0))
  const COUNT = 8192 * 2 + 3
  for (let inode = 0; inode < COUNT; inode += 2) table.put(identity(inode), TODAY, digest(`${inode}`))
  table = reloaded(table)
  for (let inode = 1; inode < COUNT; inode += 2) table.put(identity(inode), TODAY, digest(`${inode}`))
  table = reloaded(table)
  for (let inode = 0; inode < COUNT; inode++)
    assert.deepEqual(table.find(identity(inode), TODAY), { digest: digest(`${inode}`), isFirstOfDay: false })
  assert.equal(table.find(identity(COUNT), TODAY), undefined)
  // A changed file takes the place of what it was.
  table.put(identity(5, 1), TODAY, digest('changed'))
  assert.equal(table.find(identity(5), TODAY), undefined)
  assert.equal(table.find(identity(5, 1), TODAY)?.digest, digest('changed'))
})

test('what no build asked for in two weeks is forgotten, wherever it is', () => {
  const table = new DigestTable(new Uint32Array(0))
  for (let inode = 0; inode < 20_000; inode++) table.put(identity(inode), TODAY - (inode % 3) * 10, digest('x'))
  assert.equal(table.find(identity(2), TODAY)?.isFirstOfDay, true)
  const kept = reloaded(table)
  const found = (inode: number) => kept.find(identity(inode), TODAY) !== undefined
  assert.deepEqual(
    [found(0), found(1), found(2), found(5), found(19_998), found(19_999)],
    [true, true, true, false, true, true],
  )
})

test('of too many the newest stay', () => {
  const table = new DigestTable(new Uint32Array(0))
  for (let inode = 0; inode < MOST_RECORDS + 1000; inode++)
    table.put(identity(inode), TODAY - (inode < 1500 ? 3 : 1), digest('x'))
  let count = 0
  const days = new Map<number, number>()
  for (const words of table.kept(TODAY))
    for (let at = 0; at < words.length; at += RECORD_WORDS) {
      count++
      const day = words[at + IDENTITY_WORDS]!
      days.set(day, (days.get(day) ?? 0) + 1)
    }
  assert.equal(count, MOST_RECORDS)
  assert.deepEqual([days.get(TODAY - 1), days.get(TODAY - 3)], [MOST_RECORDS - 500, 500])
})
