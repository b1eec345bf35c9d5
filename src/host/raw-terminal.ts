import { errnoOf } from '#base'
import { cfmakeraw, tcgetattr, tcsetattr } from './kernel/syscalls.ts'

/**
 * Passes every byte of a terminal as it is, until disposed. Node's own setRawMode keeps turning each line feed that is
 * written into two characters (libuv sets ONLCR), which spoils what full-screen programs in a container draw.
 */
export function rawTerminal(fd: number): Disposable {
  const before = tcgetattr(fd)
  tcsetattr(fd, cfmakeraw(before))
  return {
    [Symbol.dispose]() {
      try {
        tcsetattr(fd, before)
      } catch (error) {
        // The terminal has hung up: nothing is left to be restored.
        if (!['EIO', 'ENOTTY', 'EBADF'].includes(errnoOf(error) ?? '')) throw error
      }
    },
  }
}
