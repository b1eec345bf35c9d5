import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#base'

const MEBIBYTE = 1024 * 1024

/** Bytes that are free for us on the file system of a directory, and how many it has. */
export function spaceAt(directory: string): { free: number; size: number } {
  const { bavail, blocks, bsize } = statfsSync(directory)
  return { free: bavail * bsize, size: blocks * bsize }
}

/**
 * Holds some space for the moment when the disk is full: SQLite cannot even open a database then, and without it nothing
 * can be removed. The space is given up as soon as the disk is found full, and taken again when there is plenty.
 */
export function keepReserve(directory: string, { mebibytes = 1 } = {}): void {
  const path = join(directory, 'reserve')
  const size = mebibytes * MEBIBYTE
  const { free } = spaceAt(directory)
  if (free < size) rmSync(path, { force: true })
  else if (free > 16 * size && !existsSync(path)) takeReserve(path, size)
}

function takeReserve(path: string, size: number): void {
  try {
    writeFileSync(path, Buffer.alloc(size), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    // Another process was first, or something else took the space meanwhile.
    if (!['EEXIST', 'ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? '')) throw error
  }
}
