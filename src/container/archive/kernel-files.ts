import { closeSync, constants, openSync } from 'node:fs'
import { BaleError, errnoOf } from '#base'
import { readBytesSync } from '#host/file'

/** proc, sysfs, cgroup, cgroup2, devpts, mqueue, securityfs, debugfs, tracefs, bpf, configfs, efivarfs, pstore. */
const KERNEL = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x19800202, 0x73636673, 0x64626720, 0x74726163, 0xcafe4a11,
  0x62656570, 0xde5e81e4, 0x6165676c,
])

/** True for the magic number of a file system whose files are made by the kernel while they are read. */
export function isKernelFileSystem(type: number): boolean {
  return KERNEL.has(type)
}

/**
 * The current content of a file of the kernel. Its size is unknown before: 0 in /proc, a page in /sys. One that cannot be read
 * (write-only, not available now) is empty; one without an end throws LIMIT_EXCEEDED.
 */
export function kernelFileBytes(path: Buffer): Uint8Array {
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    return readBytesSync(fd)
  } catch (error) {
    if (errnoOf(error) === undefined || error instanceof BaleError) throw error
    return Buffer.alloc(0)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
