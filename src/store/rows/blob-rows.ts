import { statSync } from 'node:fs'
import type { Digest } from '#spec'
import type { Rows } from './rows.ts'

/** A blob whose file exists with the size in its row. */
interface FoundBlob {
  path: string
  /** In bytes. */
  size: number
  /** What compressed it here; null when it came from elsewhere. */
  encoder: string | null
}

export function findBlob({ database, blobs }: Rows, digest: Digest): FoundBlob | undefined {
  const sql = 'SELECT size, encoder FROM blobs WHERE digest = ?'
  const row = database.get<Pick<FoundBlob, 'size' | 'encoder'>>(sql, digest)
  if (!row) return undefined
  const path = blobs.pathOf(digest)
  return fileSize(path) === row.size ? { path, ...row } : undefined
}

function fileSize(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}
