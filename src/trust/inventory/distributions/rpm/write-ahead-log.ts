import type { ReadableFile } from '../../analyser.ts'
import { type Parts, partsOf } from './parts.ts'

interface WriteAheadLog {
  /** Bytes. */
  readonly size: number
  /** Undefined for a page that the log does not have. */
  page(number: number): Promise<Buffer | undefined>
}

const HEADER_SIZE = 32
const FRAME_HEADER_SIZE = 24

/**
 * The pages of transactions that SQLite committed to its log and did not move to the database yet. What follows the last
 * commit, or is of an older use of the log, is no content, as for SQLite. Source: sqlite.org, "Database File Format", 4.
 */
export async function readWriteAheadLog(file: ReadableFile, pageSize: number): Promise<WriteAheadLog | undefined> {
  const parts = partsOf(file)
  const found = await committedPages(parts, pageSize)
  if (!found) return undefined
  return {
    size: file.size,
    page: async (number) => {
      const position = found.get(number)
      return position === undefined ? undefined : parts.at(position, pageSize)
    },
  }
}

/** Where the newest committed state of each page begins. */
async function committedPages(parts: Parts, pageSize: number): Promise<ReadonlyMap<number, number> | undefined> {
  if (parts.size < HEADER_SIZE) return undefined
  const head = await parts.at(0, HEADER_SIZE)
  const magic = head.readUInt32BE(0)
  if ((magic & ~1) >>> 0 !== 0x377f0682 || head.readUInt32BE(8) !== pageSize) return undefined
  const sum = new Checksum((magic & 1) === 1)
  sum.add(head.subarray(0, 24))
  if (!sum.is(head, 24)) return undefined
  const salts = head.subarray(16, 24)

  const committed = new Map<number, number>()
  let open: [page: number, position: number][] = []
  const frameSize = FRAME_HEADER_SIZE + pageSize
  for (let at = HEADER_SIZE; at + frameSize <= parts.size; at += frameSize) {
    const frame = await parts.at(at, frameSize)
    sum.add(frame.subarray(0, 8))
    sum.add(frame.subarray(FRAME_HEADER_SIZE))
    if (!frame.subarray(8, 16).equals(salts) || !sum.is(frame, 16)) break
    open.push([frame.readUInt32BE(0), at + FRAME_HEADER_SIZE])
    if (frame.readUInt32BE(4) === 0) continue
    for (const [page, position] of open) committed.set(page, position)
    open = []
  }
  return committed
}

/** The checksum of the log, over all that was added. Source: as above, 4.2. */
class Checksum {
  readonly #bigEndian: boolean
  #first = 0
  #second = 0

  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian
  }

  add(bytes: Buffer): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at + 8 <= bytes.length; at += 8) {
      this.#first = (this.#first + view.getUint32(at, !this.#bigEndian) + this.#second) >>> 0
      this.#second = (this.#second + view.getUint32(at + 4, !this.#bigEndian) + this.#first) >>> 0
    }
  }

  is(bytes: Buffer, position: number): boolean {
    return bytes.readUInt32BE(position) === this.#first && bytes.readUInt32BE(position + 4) === this.#second
  }
}
