import { type FileHandle, open } from 'node:fs/promises'
import { crc32, inflateRawSync } from 'node:zlib'
import type { Entry, ZipFile } from 'yauzl'
import { asError, BaleError, printable } from '#base'
import { openZip, type ReadAhead, readingAhead } from '#trust/zip'
import { malformed } from '../values.ts'
import { defaultRecordLimits, type RecordFile, type RecordOptions } from './record-file.ts'

/**
 * The files of a zip archive, in the order of its directory. A damaged one is skipped. Throws INVALID_ARCHIVE for what is no
 * zip archive or has a damaged directory, LIMIT_EXCEEDED for one that is too much as a whole.
 */
export async function* zipRecords(path: string, options: RecordOptions): AsyncGenerator<RecordFile> {
  const limits = { ...defaultRecordLimits, ...options.limits }
  await using file = await open(path, 'r')
  const source = { size: (await file.stat()).size, ...partsOf(file) }
  const zip = await orDamaged(path, () => openZip(source))
  if (zip.entryCount > limits.files) throw tooMuch(path, `${zip.entryCount} files`)
  const ahead = readingAhead(source, WINDOW)
  let total = 0
  for await (const entry of entries(path, zip)) {
    options.signal?.throwIfAborted()
    const name = nameOf(entry)
    if (name.endsWith('/') || (options.wants && !options.wants(name))) continue
    const content = contentOf(entry, ahead, limits.recordBytes)
    const bytes = await content.catch((error) => options.tally.skip(name, error))
    if (!bytes) continue
    total += bytes.length
    if (total > limits.totalBytes) throw tooMuch(path, `more than ${limits.totalBytes} bytes`)
    yield { name, bytes }
  }
}

/** Members are read in the order in which they stand, mostly: so much at once. */
const WINDOW = 1024 * 1024

function partsOf(file: FileHandle) {
  return {
    async readAt(position: number, length: number): Promise<Uint8Array> {
      const bytes = Buffer.allocUnsafeSlow(length)
      const { bytesRead } = await file.read(bytes, 0, length, position)
      return bytes.subarray(0, bytesRead)
    },
  }
}

async function* entries(path: string, zip: ZipFile): AsyncGenerator<Entry> {
  const iterator = zip.eachEntry()
  for (;;) {
    const { done, value } = await orDamaged(path, () => iterator.next())
    if (done) return
    yield value
  }
}

/** A member of some kilobytes is inflated at once: a stream for each takes several times as long. */
async function contentOf(entry: Entry, ahead: ReadAhead, limit: number): Promise<Uint8Array> {
  const { compressedSize, uncompressedSize, compressionMethod: method } = entry
  if (compressedSize > limit || uncompressedSize > limit)
    throw new BaleError('LIMIT_EXCEEDED', `it has more than ${limit} bytes`)
  if (entry.isEncrypted()) throw malformed('it', 'is encrypted')
  if (method !== STORED && method !== DEFLATED)
    throw malformed('it', `is compressed by method ${method}, which is not known`)
  const raw = await ahead.read(await dataStart(entry, ahead), compressedSize)
  if (raw.length < compressedSize) throw malformed('it', 'is cut')
  const bytes = method === STORED ? Buffer.from(raw) : inflated(raw, uncompressedSize)
  if (bytes.length !== uncompressedSize || crc32(bytes) !== entry.crc32 >>> 0)
    throw malformed('it', 'does not have the size or checksum that the archive says')
  return bytes
}

/** Source: APPNOTE.TXT section 4.4.5. */
const STORED = 0
const DEFLATED = 8

/** Source: APPNOTE.TXT section 4.3.7. */
async function dataStart({ relativeOffsetOfLocalHeader: at }: Entry, ahead: ReadAhead): Promise<number> {
  const header = Buffer.from(await ahead.read(at, LOCAL_HEADER))
  if (header.length < LOCAL_HEADER || header.readUInt32LE(0) !== 0x04034b50) throw malformed('it', 'has no header')
  return at + LOCAL_HEADER + header.readUInt16LE(26) + header.readUInt16LE(28)
}

const LOCAL_HEADER = 30

function inflated(raw: Uint8Array, size: number): Buffer {
  try {
    return inflateRawSync(raw, { maxOutputLength: Math.max(1, size) })
  } catch (error) {
    throw malformed('it', `cannot be inflated: ${asError(error).message}`)
  }
}

function nameOf({ fileName }: Entry): string {
  return Buffer.isBuffer(fileName) ? fileName.toString('latin1') : fileName
}

async function orDamaged<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const { message } = asError(error)
    throw new BaleError('INVALID_ARCHIVE', `${printable(path)} is no zip archive, or a damaged one: ${message}`, {
      cause: error,
    })
  }
}

function tooMuch(path: string, what: string): BaleError {
  return new BaleError(
    'LIMIT_EXCEEDED',
    `the archive ${printable(path)} has ${what}: it may be crafted to fill the memory`,
  )
}
