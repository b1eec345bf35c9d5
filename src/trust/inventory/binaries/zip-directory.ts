import { type ByteSource, damaged, readExactly } from './bytes.ts'

/** Where the directory of a zip file is. */
interface ZipDirectory {
  /** Bytes before the file that the offsets count from: a program that unpacks it stands there. */
  readonly prefix: number
  /** Bytes of all entries together. */
  readonly size: number
}

/**
 * Reads the end of a zip file, where its directory is announced. INVALID_ARGUMENT when there is no end, so that it is no
 * zip file or was cut. Source: PKWARE APPNOTE.TXT, 4.3.14 to 4.3.16.
 */
export async function findDirectory(source: ByteSource): Promise<ZipDirectory> {
  const length = Math.min(source.size, LONGEST_END)
  const tail = await readExactly(source, source.size - length, length, 'the end')
  const at = tail.lastIndexOf(END, -END_SIZE)
  if (at < 0) throw damaged('it is no zip file, or its end is missing')
  const end = source.size - length + at
  const large = await readLargeEnd(source, tail, at)
  if (large) return { prefix: 0, size: large.size }
  const [size, offset] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)]
  return { prefix: await prefixOf(source, { size, offset, end }), size }
}

const END = Buffer.from('PK\x05\x06', 'latin1')
const END_SIZE = 22
/** With the longest comment, and the locator of a zip64 end before it. */
const LONGEST_END = 20 + END_SIZE + 0xffff
const LOCATOR = Buffer.from('PK\x06\x07', 'latin1')
const ENTRY = Buffer.from('PK\x01\x02', 'latin1')

/** Zip64 says its own size of the directory. */
async function readLargeEnd(source: ByteSource, tail: Buffer, at: number): Promise<{ size: number } | undefined> {
  const locator = at - 20
  if (locator < 0 || !tail.subarray(locator, locator + 4).equals(LOCATOR)) return undefined
  const position = Number(tail.readBigUInt64LE(locator + 8))
  const record = await readExactly(source, position, 56, 'the zip64 end')
  return { size: Number(record.readBigUInt64LE(40)) }
}

/** Where offsets count from the beginning all the same, an entry is found there. */
async function prefixOf(source: ByteSource, at: { size: number; offset: number; end: number }): Promise<number> {
  const prefix = at.end - at.size - at.offset
  if (prefix < 0) throw damaged('the directory overlaps its own end')
  if (prefix === 0 || at.size === 0) return 0
  const first = Buffer.from(await source.readAt(at.offset, ENTRY.length))
  return first.equals(ENTRY) ? 0 : prefix
}
