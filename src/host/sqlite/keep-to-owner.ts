import { chmodSync, closeSync, constants, existsSync, fchmodSync, fstatSync, openSync } from 'node:fs'
import { BaleError } from '#base'

/**
 * Makes a database file readable by its owner alone, whatever directory it is in. SQLite makes its file readable by all,
 * and gives -wal and -shm the mode of the file. Throws DENIED when it belongs to another user.
 */
export function keepToOwner(path: string): void {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    const { uid, mode } = fstatSync(fd)
    const self = process.geteuid?.() ?? uid
    if (uid !== self) throw new BaleError('DENIED', `${path} belongs to another user (${uid})`)
    if (mode & 0o077) fchmodSync(fd, 0o600)
  } finally {
    closeSync(fd)
  }
  for (const beside of [`${path}-wal`, `${path}-shm`]) if (existsSync(beside)) chmodSync(beside, 0o600)
}
