import { createHash, hash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { uptime } from 'node:os'
import { errnoOf } from '#base'
import { bootId } from '#host'
import { writeFileAtomic } from '#host/file'
import { MOST_RECORDS, RECORD_WORDS } from './digest-table.ts'

// The file: magic, when it was saved, how far the clock was ahead of the machine's uptime, which boot that was; records; sha256 of all.

const MAGIC = 'bale-fd1'
const HEAD = 64
const SUM = 32
const PIECE = 256 << 10
const BOOT_AT = 24
/** Milliseconds that the clock may be off by without having been set back: uptime comes in hundredths of a second. */
const TOLERANCE = 2000

/** Replaces the file; after a power loss it may be damaged. `now`: milliseconds since 1970. */
export function saveDigests(path: string, records: Iterable<Uint32Array>, now: number): Promise<void> {
  return writeFileAtomic(path, encode(records, now), { durable: false })
}

/** In pieces: there may be many records, and many short runs of them. */
function* encode(records: Iterable<Uint32Array>, now: number): Generator<Uint8Array> {
  const sum = createHash('sha256')
  const head = Buffer.alloc(HEAD)
  head.write(MAGIC, 'latin1')
  head.writeDoubleLE(now, 8)
  head.writeDoubleLE(now - uptime() * 1000, 16)
  head.write(bootId(), BOOT_AT, 'latin1')
  let gathered: Uint8Array[] = [head]
  let length = HEAD
  const piece = () => {
    const bytes = Buffer.concat(gathered)
    sum.update(bytes)
    gathered = []
    length = 0
    return bytes
  }
  for (const { buffer, byteOffset, byteLength } of records) {
    gathered.push(new Uint8Array(buffer, byteOffset, byteLength))
    length += byteLength
    if (length >= PIECE) yield piece()
  }
  yield piece()
  yield sum.digest()
}

/** No records where there is no such file, a damaged one, or one whose times may come again. */
export function loadDigests(path: string, now: number): Uint32Array {
  try {
    const bytes = readWhole(path)
    if (!bytes || !isWhole(bytes) || wasSetBack(bytes, now)) return new Uint32Array(0)
    return new Uint32Array(bytes.buffer, HEAD, (bytes.length - HEAD - SUM) / 4)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return new Uint32Array(0)
  }
}

/** Into memory of its own, where words can be read as they are. */
function readWhole(path: string): Buffer<ArrayBuffer> | undefined {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size > HEAD + MOST_RECORDS * RECORD_WORDS * 4 + SUM) return undefined
    const bytes = Buffer.from(new ArrayBuffer(size))
    return readSync(file, bytes) === size ? bytes : undefined
  } finally {
    closeSync(file)
  }
}

function isWhole(bytes: Buffer): boolean {
  const records = bytes.length - HEAD - SUM
  if (records < 0 || records % (RECORD_WORDS * 4) !== 0 || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC)
    return false
  return hash('sha256', bytes.subarray(0, -SUM), 'buffer').equals(bytes.subarray(-SUM))
}

/** A clock that was set back gives a changed file the time of an earlier one. */
function wasSetBack(bytes: Buffer, now: number): boolean {
  if (bytes.readDoubleLE(8) > now) return true
  const isSameBoot = bytes.toString('latin1', BOOT_AT, HEAD).startsWith(bootId())
  return isSameBoot && now - uptime() * 1000 < bytes.readDoubleLE(16) - TOLERANCE
}
