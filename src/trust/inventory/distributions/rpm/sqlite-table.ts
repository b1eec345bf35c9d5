import type { Claims } from './claims.ts'
import { damaged, type Miss, orMiss, USED_TWICE } from './damaged.ts'
import type { SqlitePages } from './sqlite-pages.ts'
import { readRecord, readVarint, type SqliteValue } from './sqlite-record.ts'

const INTERIOR = 0x05
const LEAF = 0x0d
/** The first page begins with the head of the file. */
const FILE_HEAD = 100

/**
 * The rows of the table whose tree begins at the page `root`, in the order of their keys, each as its columns. A page is
 * read at most once, so that the work is bounded by the size of the file: what leads to it again, or is damaged in
 * another way, is left out with a reason. Source: sqlite.org, "Database File Format", 1.6.
 */
export async function* tableRows(
  pages: SqlitePages,
  root: number,
  claims: Claims,
  miss: Miss,
): AsyncGenerator<readonly SqliteValue[]> {
  const waiting: number[] = []
  const claimInto = (number: number) =>
    orMiss(miss, () => {
      claims.claim(number)
      waiting.push(number)
    })
  await claimInto(root)
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    const page = number
    const node = await orMiss(miss, () => readNode(pages, page))
    if (!node) continue
    for (const child of node.children.reverse()) await claimInto(child)
    for await (const record of recordsOf(pages, node, claims, miss)) {
      const row = await orMiss(miss, () => readRecord(record))
      if (row) yield row
    }
  }
}

interface Node {
  page: Buffer
  /** Positions in the page. */
  cells: number[]
  /** Pages below it; then it has no cells. */
  children: number[]
}

async function* recordsOf(pages: SqlitePages, { page, cells }: Node, claims: Claims, miss: Miss) {
  let used = 0
  for (const start of cells) {
    const cell = await orMiss(miss, () => readCell(pages, page, start, claims))
    if (!cell) continue
    // Cells that overlap would make the rows many times larger than the file.
    used += cell.size
    if (used > page.length) return miss(USED_TWICE)
    yield cell.record
  }
}

async function readNode(pages: SqlitePages, number: number): Promise<Node> {
  const page = await pages.page(number)
  const head = number === 1 ? FILE_HEAD : 0
  const kind = page[head]
  const pointers = head + (kind === INTERIOR ? 12 : 8)
  const count = page.readUInt16BE(head + 3)
  if ((kind !== INTERIOR && kind !== LEAF) || pointers + count * 2 > pages.usable) throw damaged(DAMAGED)
  const cells = Array.from({ length: count }, (_, index) => page.readUInt16BE(pointers + index * 2))
  if (kind === LEAF) return { page, cells, children: [] }
  if (cells.some((start) => start + 4 > pages.usable)) throw damaged(DAMAGED)
  const children = [...cells.map((start) => page.readUInt32BE(start)), page.readUInt32BE(head + 8)]
  return { page, cells: [], children }
}

const DAMAGED = 'a page of the rpm database is damaged'

/** The record of a cell, with what it has on overflow pages, and the bytes that the cell takes on its own page. */
async function readCell(pages: SqlitePages, page: Buffer, start: number, claims: Claims) {
  const [length, afterLength] = readVarint(page, start)
  const [, begin] = readVarint(page, afterLength)
  const local = localLength(length, pages.usable)
  const end = begin + local
  if (length > pages.count * page.length || end + (local < length ? 4 : 0) > pages.usable) throw damaged(DAMAGED)
  const record = page.subarray(begin, end)
  if (local === length) return { record, size: end - start }
  const pieces = [record]
  let next = page.readUInt32BE(end)
  for (let left = length - local; left > 0; ) {
    claims.claim(next)
    const overflow = await pages.page(next)
    const piece = overflow.subarray(4, Math.min(4 + left, pages.usable))
    pieces.push(piece)
    left -= piece.length
    next = overflow.readUInt32BE(0)
  }
  return { record: Buffer.concat(pieces, length), size: end + 4 - start }
}

/** How much of a record is on its own page. */
function localLength(length: number, usable: number): number {
  const most = usable - 35
  if (length <= most) return length
  const least = Math.floor(((usable - 12) * 32) / 255) - 23
  const fitting = least + ((length - least) % (usable - 4))
  return fitting <= most ? fitting : least
}
