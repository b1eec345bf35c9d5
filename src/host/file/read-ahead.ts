import { closeSync, fstatSync, openSync } from 'node:fs'
import { MADV_WILLNEED, mincore, mmapFile, munmap, pidfdSelf, processMadvise } from '../kernel/memory.ts'

/** A part of a file, in bytes. */
interface FilePart {
  offset: number
  length: number
}

/** IOV_MAX */
const AT_ONCE = 1024
/** At the end of the file. */
const LOOKED_AT = 256 << 10

/**
 * Asks the kernel to read parts of a file into its page cache, so that who needs them later does not wait for the disk once
 * for each. Nothing is done where the file's last pages are in the cache: it has been read not long ago. On a thread of the pool,
 * since it takes as long as the disk needs to take the requests. Answers what was done; `unable`: the kernel has no
 * call for many parts (before Linux 5.10). Source: mincore(2), process_madvise(2).
 */
export async function readAhead(
  path: string,
  parts: (size: number) => readonly FilePart[],
): Promise<'warm' | 'asked' | 'unable'> {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size === 0) return 'warm'
    const address = mmapFile(file, size)
    try {
      if (isCached(address, size)) return 'warm'
      return (await advise(address, parts(size))) ? 'asked' : 'unable'
    } finally {
      munmap(address, size)
    }
  } finally {
    closeSync(file)
  }
}

function isCached(address: number, size: number): boolean {
  const from = Math.max(0, Math.floor((size - LOOKED_AT) / PAGE) * PAGE)
  return mincore(address + from, size - from).some((page) => (page & 1) === 1)
}

/** At least the smallest that pages are; larger ones are a multiple. */
const PAGE = 64 << 10

async function advise(address: number, parts: readonly FilePart[]): Promise<boolean> {
  const self = pidfdSelf()
  try {
    for (let from = 0; from < parts.length; from += AT_ONCE) {
      const some = parts.slice(from, from + AT_ONCE)
      // Pointers and lengths of 64 bits, as two words: numbers are exact to 2^53.
      const ranges = new Uint32Array(some.length * 4)
      for (const [index, { offset, length }] of some.entries()) {
        const start = address + offset
        ranges.set([start >>> 0, Math.floor(start / 2 ** 32), length >>> 0, Math.floor(length / 2 ** 32)], index * 4)
      }
      const bytes = new Uint8Array(ranges.buffer)
      if (!(await processMadvise(self, bytes, some.length, MADV_WILLNEED))) return false
    }
    return true
  } finally {
    closeSync(self)
  }
}
