import { closeSync, constants, openSync } from 'node:fs'
import { errnoOf } from '#base'
import { ioctl } from './kernel/syscalls.ts'

/** asm-generic/ioctls.h */
const TIOCSWINSZ = 0x5414

/** Sets the size of the terminal on a process's standard input. Does nothing when that is no terminal or the process has ended. */
export function setTerminalSize(pid: number, { rows, columns }: { rows: number; columns: number }): void {
  let terminal: number
  try {
    terminal = openSync(`/proc/${pid}/fd/0`, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'ENXIO', 'EIO', 'EACCES'].includes(errnoOf(error) ?? '')) return
    throw error
  }
  try {
    // struct winsize: the last two are pixels.
    const size = Uint16Array.of(rows, columns, 0, 0)
    ioctl(terminal, TIOCSWINSZ, new Uint8Array(size.buffer))
  } catch (error) {
    if (!['ENOTTY', 'EIO', 'EINVAL'].includes(errnoOf(error) ?? '')) throw error
  } finally {
    closeSync(terminal)
  }
}
