import { promisify } from 'node:util'
import { inflateRaw } from 'node:zlib'
import type { Entry } from 'yauzl'
import { BaleError, isBaleError } from '#base'
import { openZip } from '#trust/zip'
import type { ReadableFile } from '../../analyser.ts'

const METADATA_NAME = 'EGG-INFO/PKG-INFO'
/** Bytes. */
const METADATA_LIMIT = 8 << 20
/** More than any package has. */
const MOST_ENTRIES = 100_000

const STORED = 0
const DEFLATED = 8

/**
 * The metadata of a Python package in a zip archive; undefined when the archive has none. Throws INVALID_ARGUMENT for a
 * damaged archive, LIMIT_EXCEEDED when it unpacks to too much.
 */
export async function eggMetadata(archive: ReadableFile): Promise<Buffer | undefined> {
  try {
    const zip = await openZip(archive)
    let entries = 0
    for await (const entry of zip.eachEntry()) {
      if (++entries > MOST_ENTRIES)
        throw new BaleError('LIMIT_EXCEEDED', `the archive has more than ${MOST_ENTRIES} entries`)
      if (entry.fileNameRaw.toString() !== METADATA_NAME) continue
      const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true })
      return await contentOf(entry, (length) => archive.readAt(fileDataStart, length))
    }
    return undefined
  } catch (error) {
    if (isBaleError(error)) throw error
    throw new BaleError('INVALID_ARGUMENT', 'the archive cannot be read', { cause: error })
  }
}

/** `read` gives the first bytes of the entry's data. */
async function contentOf(entry: Entry, read: (length: number) => Promise<Uint8Array>): Promise<Buffer> {
  const { compressedSize, uncompressedSize: size, compressionMethod: method } = entry
  if (Math.max(compressedSize, size) > METADATA_LIMIT)
    throw new BaleError('LIMIT_EXCEEDED', `${METADATA_NAME} is larger than ${METADATA_LIMIT} bytes`)
  const data = await read(compressedSize)
  const content = method === STORED ? Buffer.from(data) : method === DEFLATED && (await inflated(data, size))
  if (entry.isEncrypted() || !content || content.length !== size)
    throw new BaleError('INVALID_ARGUMENT', 'the archive cannot be read')
  return content
}

/** Throws when there are more than `size` bytes. */
const inflated = (data: Uint8Array, size: number): Promise<Buffer> =>
  promisify(inflateRaw)(data, { maxOutputLength: Math.max(size, 1) })
