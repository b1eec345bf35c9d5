import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readBytes, temporaryDirectory } from '#host/file'
import { analyse, databaseContract, encodeHeader, FACTS, reasons } from './contract.ts'

const PATH = 'var/lib/rpm/Packages'

/** Makes hash databases with Berkeley DB itself. */
const LOAD = '/usr/bin/db5.3_load'

databaseContract({ what: 'Berkeley DB, written here', path: PATH, make: (headers) => makeHash(headers) })
databaseContract({
  what: 'Berkeley DB of a big-endian machine',
  path: PATH,
  make: (headers) => makeHash(headers, true),
})

if (existsSync(LOAD)) databaseContract({ what: 'Berkeley DB', path: PATH, make: loadHash })
else test('Berkeley DB itself', { skip: `${LOAD} is missing: install db5.3-util` })

test('V01 an overflow page that leads to itself, or to the pages of another package, is a gap', async () => {
  const bytes = makeHash([FACTS[3]!, FACTS[1]!].map(encodeHeader))
  const overflow = pagesOfType(bytes, 7)
  bytes.writeUInt32LE(overflow[0]!, overflow[0]! * PAGE + 16)
  const found = await analyse(PATH, bytes)
  assert.deepEqual(
    found.packages?.map(({ name }) => name),
    ['openssl-libs'],
  )
  assert.deepEqual(reasons(found), ['a part of the rpm database is used twice'])
})

test('an entry that leads to a page of another kind is a gap', async () => {
  const bytes = makeHash([encodeHeader(FACTS[3]!)])
  bytes[pagesOfType(bytes, 7)[0]! * PAGE + 25] = 13
  assert.ok(reasons(await analyse(PATH, bytes)).includes('a page of the rpm database is damaged'))
})

test('a database with checksums or encryption says so', async () => {
  for (const at of [24, 26]) {
    const bytes = makeHash([])
    bytes[at] = 1
    assert.deepEqual(reasons(await analyse(PATH, bytes)), ['the rpm database is encrypted or has checksums'])
  }
})

const PAGE = 512

function pagesOfType(bytes: Buffer, type: number): number[] {
  const pages = Array.from({ length: bytes.length / PAGE }, (_, index) => index)
  return pages.filter((index) => bytes[index * PAGE + 25] === type)
}

/** Pages of 512 bytes: the head, then for each header a page with its entry, or overflow pages and the entry. */
function makeHash(headers: readonly Buffer[], bigEndian = false): Buffer {
  const put32 = (page: Buffer, value: number, at: number) =>
    bigEndian ? page.writeUInt32BE(value, at) : page.writeUInt32LE(value, at)
  const put16 = (page: Buffer, value: number, at: number) =>
    bigEndian ? page.writeUInt16BE(value, at) : page.writeUInt16LE(value, at)
  const pages: Buffer[] = [Buffer.alloc(PAGE)]
  const addPage = (type: number) => {
    const page = Buffer.alloc(PAGE)
    put32(page, pages.length, 8)
    page[25] = type
    pages.push(page)
    return page
  }
  const addEntry = (number: number, item: Buffer) => {
    const page = addPage(number % 2 === 0 ? 2 : 13)
    const key = Buffer.alloc(5)
    key[0] = 1
    put32(key, number, 1)
    put16(page, 2, 20)
    put16(page, PAGE - key.length, 26)
    put16(page, PAGE - key.length - item.length, 28)
    Buffer.concat([item, key]).copy(page, PAGE - key.length - item.length)
  }
  addEntry(0, Buffer.from([1, 9, 0, 0, 0]))
  for (const [index, header] of headers.entries()) {
    if (header.length < 400) {
      addEntry(index + 1, Buffer.concat([Buffer.from([1]), header]))
      continue
    }
    const item = Buffer.alloc(12)
    item[0] = 3
    put32(item, pages.length, 4)
    put32(item, header.length, 8)
    for (let at = 0; at < header.length; at += PAGE - 26) {
      const page = addPage(7)
      const piece = header.subarray(at, at + PAGE - 26)
      put16(page, piece.length, 22)
      put32(page, at + piece.length < header.length ? pages.length : 0, 16)
      piece.copy(page, 26)
    }
    addEntry(index + 1, item)
  }
  const head = pages[0]!
  put32(head, 0x00061561, 12)
  put32(head, 9, 16)
  put32(head, PAGE, 20)
  head[25] = 8
  put32(head, pages.length - 1, 32)
  return Buffer.concat(pages)
}

async function loadHash(headers: readonly Buffer[]): Promise<Buffer> {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-hash-')
  const path = join(directory.path, 'Packages')
  const number = (value: number) => Buffer.from(Uint32Array.of(value).buffer).toString('hex')
  const entries = headers.map((header, index) => ` ${number(index + 1)}\n ${header.toString('hex')}`)
  const input = [
    ...['VERSION=3', 'format=bytevalue', 'type=hash', 'db_pagesize=4096', 'HEADER=END'],
    ...[` ${number(0)}`, ` ${number(headers.length)}`, ...entries, 'DATA=END', ''],
  ].join('\n')
  execFileSync(LOAD, [path], { input })
  return readBytes(path)
}
