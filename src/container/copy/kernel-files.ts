import { closeSync, constants, openSync, readSync } from 'node:fs'
import { BaleError, errnoOf, printable } from '#base'

/** proc, sysfs, cgroup, cgroup2, devpts, mqueue, securityfs, debugfs, tracefs, bpf, configfs, efivarfs, pstore. */
const KERNEL = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x19800202, 0x73636673, 0x64626720, 0x74726163, 0xcafe4a11,
  0x62656570, 0xde5e81e4, 0x6165676c,
])

/** True for the magic number of a file system whose files are made by the kernel while they are read. */
export function isKernelFileSystem(type: number): boolean {
  return KERNEL.has(type)
}

/** /proc/kallsyms, the largest common one, has some 15 MB. */
const LIMIT = 64 * 1024 * 1024
const PIECE = 64 * 1024

/**
 * What a file of the kernel says now. Its size is unknown before: 0 in /proc, a page in /sys. One that cannot be read
 * (write-only, not of this moment) is empty; one without an end throws LIMIT_EXCEEDED.
 */
export function kernelFileBytes(path: Buffer): Uint8Array {
  let fd: number | undefined
  const pieces: Uint8Array[] = []
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    for (let size = 0; ; ) {
      const piece = Buffer.allocUnsafe(PIECE)
      const count = readSync(fd, piece, 0, PIECE, null)
      if (count === 0) break
      size += count
      if (size > LIMIT)
        throw new BaleError('LIMIT_EXCEEDED', `${printable(path.toString())} has more than ${LIMIT} bytes`)
      pieces.push(piece.subarray(0, count))
    }
  } catch (error) {
    if (errnoOf(error) === undefined || error instanceof BaleError) throw error
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
  return Buffer.concat(pieces)
}
