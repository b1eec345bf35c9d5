import { BaleError, errnoOf } from '#base'

/** Turns ENOSPC, EDQUOT and SQLite's "database or disk is full" into NO_SPACE; anything else comes back as it is. */
export function asNoSpace(error: unknown, what: string): unknown {
  if (!isNoSpace(error)) return error
  return new BaleError('NO_SPACE', `no space left on the disk while writing ${what}`, {
    next: { act: 'prune' },
    cause: error,
  })
}

const SQLITE_FULL = 13
/** libuv has no name for it, so Node's error carries only the number. */
const EDQUOT = 122

function isNoSpace(error: unknown): boolean {
  const { errno, errcode } = (error ?? {}) as { errno?: unknown; errcode?: unknown }
  return errnoOf(error) === 'ENOSPC' || errno === -EDQUOT || errno === EDQUOT || errcode === SQLITE_FULL
}

/** Runs `work`; a full disk becomes NO_SPACE naming `what`. */
export async function withNoSpace<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asNoSpace(error, what)
  }
}
