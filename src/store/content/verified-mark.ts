import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bootId } from '#host'
import { readText, writeFileAtomic } from '#host/file'
import { type Digest, hexOf } from '#spec'
import type { Rows } from '#store/rows'

const markPath = ({ layout }: Rows, diffId: Digest) => join(layout.verified, hexOf(diffId))

/** True when this boot has verified the layer already. */
export async function isMarked(rows: Rows, diffId: Digest): Promise<boolean> {
  const path = markPath(rows, diffId)
  return existsSync(path) && (await readText(path, { encoding: 'latin1' })) === bootId()
}

export async function markVerified(rows: Rows, diffId: Digest): Promise<void> {
  await writeFileAtomic(markPath(rows, diffId), bootId())
}
