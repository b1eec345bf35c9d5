import type { ReadableFile } from '../../analyser.ts'
import { type Claims, createClaims } from './claims.ts'
import { damaged, type Miss, orMiss } from './damaged.ts'
import { type Parts, partsOf } from './parts.ts'

const HASH_MAGIC = 0x00061561
/** Types of pages. */
const OVERFLOW = 7
const HASH_META = 8
const HASH = [2, 13]
/** Types of items. */
const IN_PAGE = 1
const ON_OVERFLOW_PAGES = 3

const META_SIZE = 72
const PAGE_HEAD = 26

interface HashFile {
  parts: Parts
  pageSize: number
  littleEndian: boolean
  claims: Claims
}

/**
 * The headers of packages in `Packages`, a hash database of Berkeley DB, which rpm used until 2020. Each page is looked at
 * once, in the order of the file, since a page says by itself which entries it has. Source: Berkeley DB 5.3,
 * dbinc/db_page.h.
 */
export async function* hashHeaders(file: ReadableFile, miss: Miss): AsyncGenerator<Buffer> {
  const parts = partsOf(file)
  const { pageSize, littleEndian, pages } = readMeta(await parts.at(0, META_SIZE))
  // Overflow pages have a window of their own.
  const hash: HashFile = {
    parts: partsOf(file),
    pageSize,
    littleEndian,
    claims: createClaims(Math.floor(file.size / pageSize)),
  }
  for (let number = 1; number < pages; number++) {
    const page = await parts.at(number * pageSize, pageSize)
    if (!HASH.includes(page[25]!)) continue
    for (const [key, value] of entriesOf(page, littleEndian, miss)) {
      if (isCounter(key)) continue
      const header = await orMiss(miss, () => readItem(hash, value))
      if (header) yield header
    }
  }
}

/** The head of the first page. A database of a big-endian machine has its numbers that way. */
function readMeta(meta: Buffer) {
  const littleEndian = meta.readUInt32LE(12) === HASH_MAGIC
  if (!littleEndian && meta.readUInt32BE(12) !== HASH_MAGIC) throw damaged('it is not a hash database of Berkeley DB')
  const pageSize = littleEndian ? meta.readUInt32LE(20) : meta.readUInt32BE(20)
  const last = littleEndian ? meta.readUInt32LE(32) : meta.readUInt32BE(32)
  const [encryption, type, flags] = [meta[24]!, meta[25]!, meta[26]!]
  if (type !== HASH_META || !isPageSize(pageSize)) throw damaged('the first page of the rpm database is damaged')
  if (encryption !== 0 || (flags & 1) !== 0) throw damaged('the rpm database is encrypted or has checksums')
  return { littleEndian, pageSize, pages: last + 1 }
}

function isPageSize(size: number): boolean {
  return size >= 512 && size <= 65536 && (size & (size - 1)) === 0
}

type HashEntry = [key: Buffer, value: Buffer]

/** Pairs of items. They fill the page from its end on, each beginning where the one before it ends. */
function* entriesOf(page: Buffer, littleEndian: boolean, miss: Miss): Generator<HashEntry> {
  const number16 = (at: number) => (littleEndian ? page.readUInt16LE(at) : page.readUInt16BE(at))
  const count = number16(20)
  const least = PAGE_HEAD + count * 2
  if (least > page.length) return miss(PAGE_DAMAGED)
  let end = page.length
  let key: Buffer | undefined
  for (let index = 0; index < count; index++) {
    const start = number16(PAGE_HEAD + index * 2)
    if (start < least || start >= end) return miss(PAGE_DAMAGED)
    const item = page.subarray(start, end)
    end = start
    if (key) yield [key, item]
    key = key ? undefined : item
  }
}

const PAGE_DAMAGED = 'a page of the rpm database is damaged'

/** The entry with the key 0 has the highest number of a package. */
function isCounter(key: Buffer): boolean {
  return key[0] === IN_PAGE && key.length === 5 && key.readUInt32LE(1) === 0
}

async function readItem(hash: HashFile, item: Buffer): Promise<Buffer> {
  if (item[0] === IN_PAGE) return item.subarray(1)
  if (item[0] !== ON_OVERFLOW_PAGES || item.length < 12) throw damaged(PAGE_DAMAGED)
  const number32 = (bytes: Buffer, at: number) => (hash.littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const size = number32(item, 8)
  const pieces: Buffer[] = []
  let next = number32(item, 4)
  for (let left = size; left > 0; ) {
    const page = await overflowPage(hash, next)
    const length = hash.littleEndian ? page.readUInt16LE(22) : page.readUInt16BE(22)
    if (length === 0 || length > left || PAGE_HEAD + length > page.length) throw damaged(PAGE_DAMAGED)
    pieces.push(page.subarray(PAGE_HEAD, PAGE_HEAD + length))
    left -= length
    next = number32(page, 16)
  }
  return Buffer.concat(pieces, size)
}

/** Each is part of one entry, so that all entries together are no larger than the file. */
async function overflowPage({ parts, pageSize, claims }: HashFile, number: number): Promise<Buffer> {
  claims.claim(number)
  const page = await parts.at(number * pageSize, pageSize)
  if (page[25] !== OVERFLOW) throw damaged(PAGE_DAMAGED)
  return page
}
