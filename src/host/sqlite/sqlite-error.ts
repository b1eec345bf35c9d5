import { asError, BaleError } from '#base'
import { asNoSpace } from '#host/file'

const SQLITE = { BUSY: 5, LOCKED: 6, READONLY: 8, CORRUPT: 11, CANTOPEN: 14, NOTADB: 26 } as const
const TRIGGER = 1811

/** Turns SQLite's error codes into a BaleError; anything else is returned unchanged. */
export function sqliteError(error: unknown, { path, what }: { path: string; what: string }): unknown {
  const full = (error as { errcode?: unknown } | undefined)?.errcode
  if (typeof full !== 'number') return error
  // What a trigger forbids, in its words (extended code SQLITE_CONSTRAINT_TRIGGER).
  if (full === TRIGGER) return new BaleError('UNAVAILABLE', asError(error).message, { cause: error })
  const code = full & 0xff
  if (code === SQLITE.BUSY || code === SQLITE.LOCKED) {
    return new BaleError('LOCKED', `another process keeps the ${what} ${path} busy`, { cause: error })
  }
  if (code === SQLITE.CORRUPT || code === SQLITE.NOTADB) {
    return new BaleError('STORE_DAMAGED', `the database ${path} is damaged`, { cause: error })
  }
  if (code === SQLITE.CANTOPEN || code === SQLITE.READONLY) {
    return new BaleError('UNSUPPORTED_HOST', `the database ${path} cannot be opened for writing`, {
      next: { act: 'choose-directory', of: 'root' },
      hint: `or check who owns the ${what}`,
      cause: error,
    })
  }
  return asNoSpace(error, path)
}
