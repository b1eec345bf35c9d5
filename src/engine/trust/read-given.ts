import { BaleError, errnoOf, printable } from '#base'
import { readBytes } from '#host/file'

/** A file that a user names: a policy, a key, a document. Throws PATH_NOT_FOUND, INVALID_ARGUMENT, LIMIT_EXCEEDED. */
export async function readGiven(path: string, limit = 64 * 1024 * 1024): Promise<Buffer> {
  try {
    return await readBytes(path, { limit })
  } catch (error) {
    const code = errnoOf(error)
    if (code === undefined) throw error
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new BaleError('PATH_NOT_FOUND', `open ${printable(path)}: no such file or directory`, { cause: error })
    throw new BaleError('INVALID_ARGUMENT', `cannot read ${printable(path)} (${code})`, { cause: error })
  }
}
