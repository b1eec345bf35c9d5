import { errnoOf } from '#base'

/** Something of a source cannot be taken over. The message says why; the import goes on without it. */
export class Unusable extends Error {}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'is missing'],
  // O_DIRECTORY of a link is ENOTDIR, too.
  ['ENOTDIR', 'is not a directory; links are not followed'],
  ['ELOOP', 'is a symbolic link, which is not followed'],
])

/** What is wrong with a disk, with rights, or with a tree that changes meanwhile. Everything else is this machine's failure. */
const UNREADABLE = [
  'EACCES',
  'EPERM',
  'EIO',
  'EUCLEAN',
  'EBADMSG',
  'ENXIO',
  'ENODEV',
  'EISDIR',
  'ESTALE',
  'ENAMETOOLONG',
]

/** What is thrown when `what` of the source cannot be read: Unusable, or the error as it is when it is not the source's. */
export function unreadable(error: unknown, what: string): unknown {
  const errno = errnoOf(error) ?? ''
  const reason = REASONS.get(errno) ?? (UNREADABLE.includes(errno) ? `cannot be read (${errno})` : undefined)
  return reason === undefined ? error : new Unusable(`${what} ${reason}`, { cause: error })
}
