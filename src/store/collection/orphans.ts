import { join } from 'node:path'
import { isBaleError } from '#base'
import { acquireLock, namesIn } from '#host/file'
import type { Rows } from '#store/rows'

/** A file or directory of the store without a row. */
interface Orphan {
  name: string
  path: string
  lock: string
  kind: 'layer' | 'blob'
  /** To be checked again under the lock. */
  isOrphan: () => boolean
}

/** Files and directories with a digest's name (or any other) that have no row. */
export async function orphans({ database, layout }: Rows): Promise<Orphan[]> {
  const found: Orphan[] = []
  const places = [
    {
      kind: 'layer' as const,
      directory: layout.layers,
      algorithm: 'sha256',
      sql: 'SELECT 1 FROM layers WHERE diff_id = ?',
    },
    {
      kind: 'blob' as const,
      directory: join(layout.blobs, 'sha256'),
      algorithm: 'sha256',
      sql: 'SELECT 1 FROM blobs WHERE digest = ?',
    },
    {
      kind: 'blob' as const,
      directory: join(layout.blobs, 'sha512'),
      algorithm: 'sha512',
      sql: 'SELECT 1 FROM blobs WHERE digest = ?',
    },
  ]
  for (const { kind, directory, algorithm, sql } of places) {
    for (const name of await namesIn(directory)) {
      const digest = name.startsWith('sha512-') ? `sha512:${name.slice(7)}` : `${algorithm}:${name}`
      const isOrphan = () => database.get(sql, digest) === undefined
      const locked = algorithm === 'sha512' ? `sha512-${name}` : name
      if (isOrphan()) {
        found.push({ name, kind, path: join(directory, name), lock: join(layout.locks, `${kind}-${locked}`), isOrphan })
      }
    }
  }
  return found
}

/** Under the lock; false when another has it. */
export async function ifFree(lock: string, act: () => Promise<boolean>): Promise<boolean> {
  try {
    await using _lock = await acquireLock(lock, { timeoutMs: 0 })
    return await act()
  } catch (error) {
    if (isBaleError(error, 'LOCKED')) return false
    throw error
  }
}
