import { statSync } from 'node:fs'
import type { Digest } from '#spec'
import type { Rows } from './rows.ts'

/** Path and size (bytes) of a blob, if its file exists with the size in its row. */
export function findBlob({ database, blobs }: Rows, digest: Digest): { path: string; size: number } | undefined {
  const row = database.get<{ size: number }>('SELECT size FROM blobs WHERE digest = ?', digest)
  if (!row) return undefined
  const path = blobs.pathOf(digest)
  return fileSize(path) === row.size ? { path, size: row.size } : undefined
}

function fileSize(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}
