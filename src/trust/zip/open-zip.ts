import type { ZipFile } from 'yauzl'
import { type PartSource, readingAhead } from './read-ahead.ts'

/** Entries of a directory have some hundred bytes and are read one after another. */
const AHEAD = 64 * 1024

/**
 * Opens a zip archive of `size` bytes by the library, which reads the directory in pieces of some bytes and rejects with its own
 * errors. Nothing needs to be closed; the source stays the caller's.
 */
export async function openZip(source: PartSource & { readonly size: number }): Promise<ZipFile> {
  const { fromRandomAccessReaderPromise, RandomAccessReader } = await import('yauzl')
  const ahead = readingAhead(source, AHEAD)

  class SourceReader extends RandomAccessReader {
    override read(
      target: Buffer,
      offset: number,
      length: number,
      position: number,
      // The library's types leave out the count that it asks for.
      done: (error: Error | null, count?: number) => void,
    ): void {
      const give = (bytes: Uint8Array) => {
        target.set(bytes, offset)
        done(null, bytes.length)
      }
      const held = ahead.held(position, length)
      // At once where it can be: a directory has two reads for each entry.
      if (held) give(held)
      else ahead.read(position, length).then(give, (error: Error) => done(error))
    }
  }

  const zip = await fromRandomAccessReaderPromise(new SourceReader(), source.size, {
    lazyEntries: true,
    autoClose: false,
    validateEntrySizes: true,
    // Names as they are: a hostile one would end the reading, and none is used as a path.
    decodeStrings: false,
  })
  // An error that arrives when no entry is awaited would end the process otherwise.
  return zip.on('error', () => undefined)
}
