import { BaleError, isBaleError, readAll } from '#base'

const METADATA_NAME = 'EGG-INFO/PKG-INFO'
const METADATA_LIMIT = 8 << 20
/** More than any package has. */
const MOST_ENTRIES = 100_000

/**
 * The metadata of a Python package in a zip archive; undefined when the archive has none. Throws INVALID_ARGUMENT for a
 * damaged archive, LIMIT_EXCEEDED when it unpacks to too much.
 */
export async function eggMetadata(archive: Buffer): Promise<Buffer | undefined> {
  const { fromBufferPromise } = await import('yauzl')
  try {
    // Names as they are: one that leads somewhere else is no reason to give up, since nothing is written by it.
    const zip = await fromBufferPromise(archive, { decodeStrings: false })
    // An error that arrives when no entry is awaited would end the process otherwise.
    zip.on('error', () => undefined)
    let entries = 0
    for await (const entry of zip.eachEntry()) {
      if (++entries > MOST_ENTRIES)
        throw new BaleError('LIMIT_EXCEEDED', `the archive has more than ${MOST_ENTRIES} entries`)
      if (entry.fileNameRaw.toString() !== METADATA_NAME) continue
      const stream = await zip.openReadStreamPromise(entry)
      return Buffer.from(await readAll(stream, { limit: METADATA_LIMIT, what: METADATA_NAME }))
    }
    return undefined
  } catch (error) {
    if (isBaleError(error)) throw error
    throw new BaleError('INVALID_ARGUMENT', 'the archive cannot be read', { cause: error })
  }
}
