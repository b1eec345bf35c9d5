import { Readable } from 'node:stream'
import { createInflateRaw } from 'node:zlib'
import type { Entry, ZipFile } from 'yauzl'
import { isBaleError } from '#base'
import { openZip } from '#trust/zip'
import { type ByteSource, damaged, excessive } from './bytes.ts'
import { findDirectory } from './zip-directory.ts'

/** A file in a zip file. */
export interface ZipEntry {
  /** As written, so it may be absolute or have `..` in it. */
  readonly name: string
  /** Bytes of the content, as the directory says. */
  readonly size: number
  /** Bytes of memory that the opened content takes: none when it is stored as it is. */
  readonly memory: number
  /** LIMIT_EXCEEDED when the content takes more memory than `limit`. */
  open(limit: number): Promise<ByteSource>
}

/** Told of what is about to be done; throws when it is too much. */
export interface ZipMeter {
  /** An entry of the directory. */
  countEntry(isWanted: boolean): void
  /** Bytes that are inflated, or searched for the end of the file. */
  countBytes(count: number): void
}

/**
 * The entries of a zip file that are wanted, by the order of its directory. INVALID_ARGUMENT when the directory is damaged,
 * or holds another number of entries than it says: readers differ in what they then see. Names are not checked, and what
 * local headers say besides is not read.
 */
export async function listZip(
  source: ByteSource,
  wants: (name: string) => boolean,
  meter: ZipMeter,
): Promise<ZipEntry[]> {
  meter.countBytes(Math.min(source.size, SEARCHED))
  const directory = await findDirectory(source)
  const archive = directory.prefix === 0 ? source : partOf(source, directory.prefix, source.size - directory.prefix)
  const wanted: ZipEntry[] = []
  let listed = 0
  try {
    const zip = await openZip(archive)
    for await (const entry of zip.eachEntry()) {
      listed += ENTRY_SIZE + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength
      const name = entry.fileNameRaw.toString()
      const isWanted = wants(name)
      meter.countEntry(isWanted)
      const { uncompressedSize: size, compressionMethod } = entry
      const memory = compressionMethod === STORED ? 0 : size
      if (isWanted) wanted.push({ name, size, memory, open: openEntry(archive, zip, entry, meter) })
    }
  } catch (error) {
    throw isBaleError(error) ? error : damaged('its directory is damaged', error)
  }
  if (listed !== directory.size) throw damaged('its directory has another number of entries than it says')
  return wanted
}

const ENTRY_SIZE = 46
/** At most, by the length of a comment. */
const SEARCHED = 64 * 1024
const STORED = 0
const DEFLATED = 8
/** Deflate gives at most 1032 bytes for one. */
const MOST_INFLATED = 1032
const PIECE = 256 * 1024

function openEntry(archive: ByteSource, zip: ZipFile, entry: Entry, meter: ZipMeter) {
  return async (limit: number): Promise<ByteSource> => {
    const { compressedSize, uncompressedSize: size, compressionMethod: method } = entry
    if (entry.isEncrypted()) throw damaged('it is encrypted')
    const start = await startOf(zip, entry)
    if (method === STORED) return partOf(archive, start, size)
    if (method !== DEFLATED) throw damaged(`it is compressed by an unknown method (${method})`)
    if (size > limit) throw excessive(`it has ${size} bytes; at most ${limit} are unpacked`)
    if (size > (compressedSize + 1) * MOST_INFLATED) throw damaged('it says that it is larger than it can be')
    meter.countBytes(size)
    return memorySource(await inflated(partOf(archive, start, compressedSize), size))
  }
}

async function startOf(zip: ZipFile, entry: Entry): Promise<number> {
  try {
    return (await zip.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart
  } catch (error) {
    throw isBaleError(error) ? error : damaged('its header is damaged', error)
  }
}

/** Exactly `size` bytes, which the caller has found acceptable. */
async function inflated(source: ByteSource, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  const input = Readable.from(piecesOf(source))
  const inflate = createInflateRaw()
  let done = 0
  try {
    input.on('error', (error) => inflate.destroy(error)).pipe(inflate)
    for await (const piece of inflate as AsyncIterable<Buffer>) {
      if (done + piece.length > size) throw damaged('it is larger than it says')
      done += piece.copy(bytes, done)
    }
  } catch (error) {
    throw isBaleError(error) ? error : damaged('it cannot be inflated', error)
  } finally {
    // The compressed data may end before the input does; then nothing else ends the input.
    input.destroy()
  }
  if (done < size) throw damaged('it is smaller than it says')
  return bytes
}

async function* piecesOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.size; at += PIECE) yield await source.readAt(at, PIECE)
}

function memorySource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, readAt: async (position, length) => bytes.subarray(position, position + length) }
}

function partOf(source: ByteSource, start: number, size: number): ByteSource {
  return {
    size,
    readAt: (position, length) => source.readAt(start + position, Math.max(0, Math.min(length, size - position))),
  }
}
