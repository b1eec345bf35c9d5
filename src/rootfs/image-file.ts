import { createHash } from 'node:crypto'
import { closeSync, fchmodSync, fdatasync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { RandomSink, RandomSource } from '#format/erofs'
import { createWriteBack, writeData } from '#host/file'
import { type Digest, parseDigest } from '#spec'
import { IMAGE_NAME } from './layer-files.ts'

/** Writes reach the file in pieces of this size: fewer, larger system calls, and small late changes stay in memory. */
const WINDOW = 4 * 1024 * 1024

const sync = promisify(fdatasync)

/** A layer image being written. Closed by dispose; what was not finished is the caller's to remove. */
interface ImageFile extends RandomSink, Disposable {
  /** All that was written can be read from the file. */
  flush(): void
  /** Cuts or extends to `size`, waits until all is on the disk, and answers the sha256 of the whole file. */
  finish(size: number): Promise<{ digest: Digest; diskSize: number }>
}

export function createImageFile(path: string): ImageFile {
  const fd = openSync(path, 'wx+', 0o600)
  const window = Buffer.allocUnsafeSlow(WINDOW)
  let base = 0
  let used = 0
  const writeBack = createWriteBack(() => sync(fd))

  function writeAll(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
    writeBack.wrote(bytes.length)
  }

  /** Unwritten space: zeros stay holes, so that a file of zeros takes no disk. */
  function append(bytes: Uint8Array, position: number): void {
    writeBack.wrote(writeData(fd, bytes, position))
  }

  function flush(): void {
    if (used > 0) append(window.subarray(0, used), base)
    base += used
    used = 0
  }

  return {
    flush,
    writeAt(position, bytes) {
      if (position < base) {
        // Late link counts, and inode blocks that filled slowly.
        const old = bytes.subarray(0, base - position)
        writeAll(old, position)
        if (old.length < bytes.length) this.writeAt(base, bytes.subarray(old.length))
        return
      }
      if (position + bytes.length > base + WINDOW) {
        // Fill the window to its end, so that writes stay large and aligned.
        const fits = base + WINDOW - position
        if (fits > 0 && position <= base + used) {
          put(position, bytes.subarray(0, fits))
          flush()
          this.writeAt(base, bytes.subarray(fits))
          return
        }
        flush()
        base = position
        if (bytes.length >= WINDOW) {
          append(bytes, position)
          base = position + bytes.length
          return
        }
      }
      put(position, bytes)
    },
    async finish(size) {
      flush()
      ftruncateSync(fd, size)
      // Never written again: a mounted image must not change.
      fchmodSync(fd, 0o444)
      // The disk writes while the processor hashes.
      const synced = Promise.allSettled([writeBack.settled(), sync(fd)])
      const digest = hashFile(fd)
      for (const one of await synced) if (one.status === 'rejected') throw one.reason
      return { digest, diskSize: fstatSync(fd).blocks * 512 }
    },
    [Symbol.dispose]() {
      closeSync(fd)
    },
  }

  /** Inside the window; a gap reads as zeros. */
  function put(position: number, bytes: Uint8Array): void {
    const at = position - base
    if (at > used) window.fill(0, used, at)
    window.set(bytes, at)
    used = Math.max(used, at + bytes.length)
  }
}

/** Image digests are of the whole file as stored on disk. Read back from the page cache: block 0 is written last. */
function hashFile(fd: number): Digest {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024)
  for (let position = 0; ; ) {
    const count = readSync(fd, buffer, 0, buffer.length, position)
    if (count === 0) return parseDigest(`sha256:${hash.digest('hex')}`)
    hash.update(buffer.subarray(0, count))
    position += count
  }
}

export function hashImageFile(path: string): Digest {
  const fd = openSync(path, 'r')
  try {
    return hashFile(fd)
  } finally {
    closeSync(fd)
  }
}

/** The image of a layer, for reading without a mount. `directory` is the layer's; the format is `erofs`. */
export function openLayerImage(directory: string): RandomSource & Disposable {
  return openImageSource(join(directory, IMAGE_NAME))
}

/** A file as a source of an image; closed by dispose. */
export function openImageSource(path: string): RandomSource & Disposable {
  const fd = openSync(path, 'r')
  return {
    readAt(position, length, memory) {
      const buffer = memory ?? Buffer.allocUnsafeSlow(length)
      let done = 0
      while (done < length) {
        const count = readSync(fd, buffer, done, length - done, position + done)
        if (count === 0) break
        done += count
      }
      return buffer.subarray(0, done)
    },
    [Symbol.dispose]() {
      closeSync(fd)
    },
  }
}
