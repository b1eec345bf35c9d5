import { join } from 'node:path'
import { errnoOf } from '#base'
import { bootId } from '#host'
import { readTextSync, writeFileAtomic } from '#host/file'
import { type Digest, hexOf } from '#spec'
import type { Rows } from '#store/rows'

const markPath = ({ layout }: Rows, diffId: Digest) => join(layout.verified, hexOf(diffId))

/** True when this boot has verified the layer already. */
export function isMarked(rows: Rows, diffId: Digest): boolean {
  try {
    return readTextSync(markPath(rows, diffId), { encoding: 'latin1' }) === bootId()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

export async function markVerified(rows: Rows, diffId: Digest): Promise<void> {
  await writeFileAtomic(markPath(rows, diffId), bootId())
}
