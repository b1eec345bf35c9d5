import type { ReadableFile } from '../../analyser.ts'
import { damaged, ENDS_EARLY, type Miss, orMiss, USED_TWICE } from './damaged.ts'
import { type Parts, partsOf } from './parts.ts'

const PAGE = 4096
const HEADER_SIZE = 32
const SLOT = 16
/** The unit of positions. */
const BLOCK = 16
const BLOB_HEAD = 16
const BLOB_TAIL = 12

/**
 * The headers of packages in `Packages.db`, the database that rpm brings itself: pages of slots, each with the place of
 * one header. The headers are together no larger than the file. Source: rpm, lib/backend/ndb/rpmpkg.c.
 */
export async function* ndbHeaders(file: ReadableFile, miss: Miss): AsyncGenerator<Buffer> {
  const parts = partsOf(file)
  const head = await parts.at(0, HEADER_SIZE)
  if (head.toString('latin1', 0, 4) !== 'RpmP' || head.readUInt32LE(4) !== 0)
    throw damaged('it is not a database of packages that rpm knows')
  let left = file.size
  for await (const slot of slotsOf(file, head.readUInt32LE(12), miss)) {
    const header = await orMiss(miss, () => readBlob(parts, slot))
    if (!header) continue
    left -= header.length
    // Slots with the same place would make the headers many times larger than the file.
    if (left < 0) throw damaged(USED_TWICE)
    yield header
  }
}

interface Slot {
  /** Of the package. */
  number: number
  /** In blocks. */
  position: number
  length: number
}

async function* slotsOf(file: ReadableFile, pages: number, miss: Miss): AsyncGenerator<Slot> {
  const parts = partsOf(file)
  for (let page = 0; page < pages; page++) {
    const bytes = await parts.at(page * PAGE, PAGE)
    for (let at = page === 0 ? HEADER_SIZE : 0; at < PAGE; at += SLOT) {
      if (bytes.toString('latin1', at, at + 4) !== 'Slot') {
        miss('a slot of the rpm database is damaged')
        continue
      }
      const [number, position, length] = [4, 8, 12].map((field) => bytes.readUInt32LE(at + field)) as [
        number,
        number,
        number,
      ]
      if (position !== 0) yield { number, position, length }
    }
  }
}

async function readBlob(parts: Parts, { number, position, length }: Slot): Promise<Buffer> {
  const start = position * BLOCK
  const room = length * BLOCK
  if (start + room > parts.size) throw damaged(ENDS_EARLY)
  const head = await parts.at(start, BLOB_HEAD)
  const size = head.readUInt32LE(12)
  const fits = BLOB_HEAD + size + BLOB_TAIL <= room
  if (head.toString('latin1', 0, 4) !== 'BlbS' || head.readUInt32LE(4) !== number || !fits)
    throw damaged('the header of a package is damaged')
  return parts.at(start + BLOB_HEAD, size)
}
