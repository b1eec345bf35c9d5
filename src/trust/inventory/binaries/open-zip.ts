import type { ZipFile } from 'yauzl'
import type { ByteSource } from './bytes.ts'

const AHEAD = 64 * 1024

/** Opens a zip file by the library, which rejects with its own errors. Nothing needs to be closed. */
export async function openZip(source: ByteSource): Promise<ZipFile> {
  const { fromRandomAccessReaderPromise, RandomAccessReader } = await import('yauzl')
  const ahead = readingAhead(source)

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
    autoClose: false,
    // Names as they are: one that leads somewhere else is no reason to give up, since nothing is written by it.
    decodeStrings: false,
  })
  // An error that arrives when no entry is awaited would end the process otherwise.
  return zip.on('error', () => undefined)
}

/** Entries of a directory have some hundred bytes and are read one after another. */
function readingAhead(source: ByteSource) {
  let start = 0
  let bytes: Uint8Array = Buffer.alloc(0)
  return {
    held(position: number, length: number): Uint8Array | undefined {
      if (position < start || position + length > start + bytes.length) return undefined
      return bytes.subarray(position - start, position - start + length)
    },
    async read(position: number, length: number): Promise<Uint8Array> {
      const isNext = position >= start && position <= start + bytes.length
      bytes = await source.readAt(position, isNext ? Math.max(length, AHEAD) : length)
      start = position
      return bytes.subarray(0, length)
    },
  }
}
