import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { asNoSpace } from '#host/file'
import type { LayerFile, ReadableFile } from '../analyser.ts'
import { readableFile } from '../readable-file.ts'

/** Bytes. Files up to this size are held in memory, larger ones on the disk. */
const IN_MEMORY = 4 * 1024 * 1024

/** Bytes of a file's beginning that are remembered, more than any magic has. */
export const HEAD_BYTES = 64

/** Holds one file's content from the time it passes in the tar until it has been analysed. */
export interface Spool {
  /** Bytes beyond the size are left out. NO_SPACE when the disk is full. */
  write(position: number, bytes: Uint8Array): void
  /** False as soon as the bytes written so far differ from `magic`. */
  mayBeginWith(magic: string): boolean
  /** Readable until `drop`. */
  file(file: LayerFile): ReadableFile
  /** May be called more than once. */
  drop(): void
}

/** Parts that were not written read as zeros. `temporary` is a directory for large files, which have no name there. */
export function createSpool(size: number, temporary: string): Spool {
  return size <= IN_MEMORY ? memorySpool(size) : diskSpool(temporary)
}

function memorySpool(size: number): Spool {
  let bytes = Buffer.alloc(size)
  let end = 0
  return {
    write(position, piece) {
      const fitting = piece.subarray(0, Math.max(0, bytes.length - position))
      bytes.set(fitting, Math.min(position, bytes.length))
      end = Math.max(end, position + fitting.length)
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
  const head = Buffer.alloc(HEAD_BYTES)
  let end = 0
  const opened = () => {
    fd ??= openUnnamed(temporary)
    return fd
  }
  return {
    write(position, piece) {
      if (position < HEAD_BYTES) head.set(piece.subarray(0, HEAD_BYTES - position), position)
      end = Math.max(end, position + piece.length)
      try {
        for (let done = 0; done < piece.length; )
          done += writeSync(opened(), piece, done, piece.length - done, position + done)
      } catch (error) {
        throw asNoSpace(error, 'a file of the image being scanned')
      }
    },
    mayBeginWith: (magic) => startsLike(head.subarray(0, end), magic),
    file: (file) =>
      readableFile(file, {
        readAt(position, length) {
          const bytes = Buffer.alloc(length)
          if (isDropped) return bytes.subarray(0, 0)
          const count = readSync(opened(), bytes, 0, length, position)
          // A sparse file may end with a hole, of which nothing was written.
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
