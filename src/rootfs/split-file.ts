import { closeSync, createReadStream, fdatasync, fstatSync, openSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'
import type { Sink } from '#format/erofs'

/** The split compresses forty times at level 1, and hardly better at others (measured). */
const LEVEL = 1

/** A split being written, compressed. Closed by dispose. */
interface SplitFile extends Sink, AsyncDisposable {
  /** Waits until all is on the disk. */
  finish(): Promise<{ diskSize: number }>
}

export function createSplitFile(path: string): SplitFile {
  const fd = openSync(path, 'wx', 0o600)
  const compressor = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
  })
  let failure: unknown
  compressor.on('error', (error) => {
    failure ??= error
  })
  compressor.on('data', (bytes: Uint8Array) => {
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done)
    } catch (error) {
      compressor.destroy(error as Error)
    }
  })
  return {
    write(bytes) {
      if (failure) throw failure
      return new Promise((resolve, reject) => compressor.write(bytes, (error) => (error ? reject(error) : resolve())))
    },
    async finish() {
      await new Promise<void>((resolve, reject) => {
        compressor.once('error', reject)
        compressor.once('end', resolve)
        compressor.end()
      })
      await promisify(fdatasync)(fd)
      return { diskSize: fstatSync(fd).blocks * 512 }
    },
    async [Symbol.asyncDispose]() {
      if (!compressor.destroyed) {
        await new Promise((resolve) => {
          compressor.once('close', resolve)
          compressor.destroy()
        })
      }
      closeSync(fd)
    },
  }
}

/** The split again, decompressed. The file is closed when the iteration ends, also early. */
export async function* readSplitFile(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 })
  const decompressor = createZstdDecompress({ chunkSize: 256 * 1024 })
  file.on('error', (error) => decompressor.destroy(error))
  try {
    for await (const bytes of file.pipe(decompressor)) yield bytes as Uint8Array
  } finally {
    file.destroy()
    decompressor.destroy()
  }
}
