import type { FileHandle } from 'node:fs/promises'
import type { ZipFile } from 'yauzl'
import { readingAhead } from './read-ahead.ts'

/** Opens a zip archive by the library, which reads the directory in pieces of some bytes and throws its own errors. */
export async function openZip(file: FileHandle): Promise<ZipFile> {
  const { fromRandomAccessReaderPromise, RandomAccessReader } = await import('yauzl')
  const ahead = readingAhead(file)

  class Reader extends RandomAccessReader {
    override read(
      target: Buffer,
      offset: number,
      length: number,
      position: number,
      // The library's types leave out the count, which it asks for.
      done: (error: Error | null, count?: number) => void,
    ): void {
      const give = (bytes: Buffer) => done(null, bytes.copy(target, offset))
      const held = ahead.held(position, length)
      if (held) give(held)
      else ahead.read(position, length).then(give, (error: Error) => done(error))
    }
  }

  const { size } = await file.stat()
  const zip = await fromRandomAccessReaderPromise(new Reader(), size, {
    lazyEntries: true,
    autoClose: false,
    validateEntrySizes: true,
    // Names as they are: a hostile one would end the reading, and none is used as a path.
    decodeStrings: false,
  })
  // An error that arrives when no entry is awaited would end the process otherwise.
  return zip.on('error', () => undefined)
}
