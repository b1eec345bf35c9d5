import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processorTime } from '../../../../../test/kit/processor-time.ts'
import { encodeHeader } from './contract.ts'
import { parseHeader, Tag } from './header.ts'
import { collectInstalledFiles } from './installed-files.ts'
import { packageOf } from './rpm-package.ts'

/** Entries of tag, type, offset and count, and the store. */
function header(entries: readonly (readonly number[])[], store: string): Buffer {
  const numbers = [entries.length, store.length, ...entries.flat()]
  const bytes = Buffer.alloc(numbers.length * 4)
  for (const [index, value] of numbers.entries()) bytes.writeUInt32BE(value, index * 4)
  return Buffer.concat([bytes, Buffer.from(store, 'latin1')])
}

const STRING = 6
const STRINGS = 8
const damaged = { code: 'INVALID_ARCHIVE', message: 'the header of a package is damaged' }

test('an entry that is written again counts as the last one says', () => {
  const entries = [
    [Tag.NAME, STRING, 0, 1],
    [Tag.NAME, STRING, 4, 1],
  ]
  assert.equal(parseHeader(header(entries, 'old\0new\0')).text(Tag.NAME), 'new')
})

test('what has another type than its tag counts as missing', () => {
  const parsed = parseHeader(header([[Tag.NAME, STRINGS, 0, 1]], 'name\0'))
  assert.equal(parsed.text(Tag.NAME), undefined)
  assert.equal(parsed.number(Tag.EPOCH), undefined)
  assert.equal(parsed.texts(Tag.NAME)?.toString(), 'name\0')
})

test('what leads out of the store is damage', () => {
  assert.throws(() => parseHeader(header([[Tag.NAME, STRING, 9, 1]], 'a\0')).text(Tag.NAME), damaged)
  assert.throws(() => parseHeader(header([[Tag.NAME, STRING, 0, 1]], 'endless')).text(Tag.NAME), damaged)
  assert.throws(
    () => parseHeader(header([[Tag.BASENAMES, STRINGS, 0, 0xffffffff]], 'a\0b\0')).texts(Tag.BASENAMES),
    damaged,
  )
  assert.throws(() => parseHeader(header([[Tag.EPOCH, 4, 2, 1]], 'abcd')).number(Tag.EPOCH), damaged)
  assert.throws(() => parseHeader(Buffer.alloc(7)), damaged)
  assert.throws(() => parseHeader(header([], 'store').subarray(0, -1)), damaged)
})

test('a source file without the form of one names no source', () => {
  const sourceOf = (sourceRpm: string) =>
    packageOf(parseHeader(encodeHeader({ name: 'a', version: '1', release: '2', sourceRpm })))?.source
  assert.deepEqual(sourceOf('python-a-b-1.0-2.el9.src.rpm'), { name: 'python-a-b', version: '1.0-2.el9' })
  for (const other of ['(none)', '', 'a.src.rpm', 'a-1.src.rpm', 'a-1-2.rpm', '-1-2.src.rpm'])
    assert.equal(sourceOf(other), undefined, other)
})

test('a file of a directory that the package does not name, or without a number, is left out', () => {
  const entries = [
    [Tag.BASENAMES, STRINGS, 0, 3],
    [Tag.DIRNAMES, STRINGS, 6, 1],
    [Tag.DIRINDEXES, 4, 10, 2],
  ]
  const files = collectInstalledFiles(assert.fail)
  files.add('a', parseHeader(header(entries, 'a\0b\0c\0/d/\0\0\0\0\x07\0\0\0\0')))
  assert.deepEqual([...files.paths()], [['d/b', 'a']])
})

test('directories and names that are too long to be a path cost no time', () => {
  const COUNT = 20_000
  const directory = `/${'d'.repeat(1 << 20)}/`
  const files = collectInstalledFiles(assert.fail)
  const spent = processorTime()
  const entries = [
    [Tag.BASENAMES, STRINGS, 0, COUNT],
    [Tag.DIRNAMES, STRINGS, COUNT * 2, 1],
    [Tag.DIRINDEXES, 4, COUNT * 2 + directory.length + 1, COUNT],
  ]
  files.add('a', parseHeader(header(entries, `${'x\0'.repeat(COUNT)}${directory}\0${'\0'.repeat(COUNT * 4)}`)))
  assert.deepEqual([...files.paths()], [])
  assert.ok(spent() < 1000)
})
