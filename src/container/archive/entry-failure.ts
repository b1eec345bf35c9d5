import { getSystemErrorMessage } from 'node:util'
import { BaleError, errnoOf } from '#base'
import { quotedName } from '#format/tar'
import { asNoSpace } from '#host/file'

/** Turns a kernel error about a tar entry into one that names the entry; other errors are returned unchanged. */
export function entryFailure(error: unknown, name: string): unknown {
  const code = errnoOf(error)
  if (error instanceof BaleError || code === undefined) return error
  const entry = quotedName(name)
  const full = asNoSpace(error, entry)
  if (full instanceof BaleError) return full
  if (code === 'EROFS') return new BaleError('CONFLICT', `the destination of ${entry} is read-only`, { cause: error })
  const reason =
    code === 'ELOOP'
      ? 'a link is in the way, and nothing is written through links'
      : ['EEXIST', 'ENOTDIR'].includes(code)
        ? 'something that is not a directory is in the way (a file or a dangling link)'
        : words(error)
  return new BaleError('INVALID_ARGUMENT', `cannot write ${entry}: ${reason}`, { cause: error })
}

function words(error: unknown): string {
  const { errno } = error as { errno?: number }
  return errno === undefined ? (error as Error).message : getSystemErrorMessage(-Math.abs(errno))
}
