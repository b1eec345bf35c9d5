import { link, open, rename, rm, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf } from '#base'

/** Makes the names in a directory survive power loss. */
export async function fsyncDirectory(path: string): Promise<void> {
  await fsyncPath(path)
}

/** Makes the bytes of a closed file survive power loss. */
async function fsyncFile(path: string): Promise<void> {
  await fsyncPath(path)
}

async function fsyncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Gives a finished temporary file its final name: fsync, link without replace, fsync of the directory. When the name is
 * taken, the existing file stays, the temporary one is removed, and the result is `exists`. Both must be on one filesystem.
 */
export async function publishFile(temporary: string, final: string): Promise<'published' | 'exists'> {
  await fsyncFile(temporary)
  let result: 'published' | 'exists' = 'published'
  try {
    await link(temporary, final)
    await unlink(temporary)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'EEXIST') {
      result = 'exists'
      await rm(temporary, { force: true })
    } else if (errno && WITHOUT_LINKS.has(errno)) await rename(temporary, final)
    else throw error
  }
  await fsyncDirectory(dirname(final))
  return result
}

/** What file systems without hard links answer. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/**
 * Gives a finished directory its final name. The caller must have synced its files. A directory with content
 * under that name stays, and the answer is `exists`; the temporary directory is then the caller's to remove.
 */
export async function publishDirectory(temporary: string, final: string): Promise<'published' | 'exists'> {
  await fsyncDirectory(temporary)
  try {
    await rename(temporary, final)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOTEMPTY' || errno === 'EEXIST') return 'exists'
    throw error
  }
  await fsyncDirectory(dirname(final))
  return 'published'
}
