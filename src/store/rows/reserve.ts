import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#base'

/** Bytes: room for SQLite's index and log, so that removing works when nothing else is left. */
const RESERVE = 1024 * 1024
const LOW = RESERVE
const PLENTY = 16 * RESERVE

/**
 * Holds some space for the moment when the disk is full: SQLite cannot even open a database then, and without it nothing
 * can be removed. The space is given up as soon as a command finds the disk full, and taken again when there is plenty.
 */
export function keepReserve(root: string): void {
  const path = join(root, 'reserve')
  const { bavail, bsize } = statfsSync(root)
  const free = bavail * bsize
  if (free < LOW) rmSync(path, { force: true })
  else if (free > PLENTY && !existsSync(path)) takeReserve(path)
}

function takeReserve(path: string): void {
  try {
    writeFileSync(path, Buffer.alloc(RESERVE), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    // Another process was first, or something else took the space meanwhile.
    if (!['EEXIST', 'ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? '')) throw error
  }
}
