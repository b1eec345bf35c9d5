import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { LayerFile, ReadableFile } from '../analyser.ts'
import { readableFile } from '../readable-file.ts'

/** Files up to this size stay in memory; larger ones go to the disk, so that an image of large programs needs little memory. */
const IN_MEMORY = 4 * 1024 * 1024

/** The content of one file on its way through. */
export interface Spool {
  write(position: number, bytes: Uint8Array): void
  /** False when the bytes that came so far are others. */
  mayBeginWith(magic: string): boolean
  /** Readable until `drop`. */
  file(file: LayerFile): ReadableFile
  /** May be called more than once. */
  drop(): void
}

/** What was not written reads as zeros. `temporary` is a directory for large files; they have no name there. */
export function createSpool(size: number, temporary: string): Spool {
  return size <= IN_MEMORY ? memorySpool(size) : diskSpool(temporary)
}

function memorySpool(size: number): Spool {
  let bytes = Buffer.alloc(size)
  let end = 0
  return {
    write(position, piece) {
      bytes.set(piece, position)
      end = Math.max(end, position + piece.length)
    },
    mayBeginWith: (magic) => startsLike(bytes.subarray(0, end), magic),
    file: (file) => readableFile(file, { readAt: (position, length) => bytes.subarray(position, position + length) }),
    drop() {
      bytes = Buffer.alloc(0)
    },
  }
}

function diskSpool(temporary: string): Spool {
  let fd: number | undefined
  let isDropped = false
  const head = Buffer.alloc(MAGIC_BYTES)
  let end = 0
  const opened = () => {
    fd ??= openUnnamed(temporary)
    return fd
  }
  return {
    write(position, piece) {
      if (position < MAGIC_BYTES) head.set(piece.subarray(0, MAGIC_BYTES - position), position)
      end = Math.max(end, position + piece.length)
      for (let done = 0; done < piece.length; )
        done += writeSync(opened(), piece, done, piece.length - done, position + done)
    },
    mayBeginWith: (magic) => startsLike(head.subarray(0, end), magic),
    file: (file) =>
      readableFile(file, {
        readAt(position, length) {
          const bytes = Buffer.alloc(length)
          if (isDropped) return bytes.subarray(0, 0)
          const count = readSync(opened(), bytes, 0, length, position)
          // Beyond the last byte that was written a hole of a sparse file follows.
          return count > 0 ? bytes.subarray(0, count) : bytes
        },
      }),
    drop() {
      if (fd !== undefined) closeSync(fd)
      fd = undefined
      isDropped = true
    },
  }
}

const MAGIC_BYTES = 64

function openUnnamed(directory: string): number {
  const path = join(directory, `.spool-${randomUUID()}`)
  const fd = openSync(path, 'wx+', 0o600)
  unlinkSync(path)
  return fd
}

function startsLike(bytes: Buffer, magic: string): boolean {
  const length = Math.min(bytes.length, magic.length)
  return bytes.toString('latin1', 0, length) === magic.slice(0, length)
}
