import { acquireLock, removeTree } from '#host/file'
import type { Digest } from '#spec'
import { isHeld, type Pin } from '#store/rows'
import type { Core } from './core.ts'

export interface Swept {
  layers: Digest[]
  blobs: Digest[]
  documents: Digest[]
  /** Bytes on disk. */
  freed: number
}

/**
 * Deletes those of the candidates that nothing holds any more: their rows in one transaction (the caller's, when there is
 * one), their files by the returned `finish`, to be awaited after the transaction. Dead owners hold nothing, but are
 * found by `dropDeadLeases`, which costs more.
 */
export function sweep(core: Core, candidates: Iterable<Pin>): { swept: Swept; finish: () => Promise<void> } {
  const { database } = core
  const swept: Swept = { layers: [], blobs: [], documents: [], freed: 0 }
  database.transaction(() => {
    for (const { kind, digest } of candidates) {
      if (isHeld(core, { kind, digest })) continue
      const size = DELETE[kind](core, digest)
      if (size === undefined) continue
      swept.freed += size
      const list = { layer: swept.layers, blob: swept.blobs, document: swept.documents }[kind]
      list.push(digest)
    }
  })
  return { swept, finish: () => removeFiles(core, swept) }
}

/** Each deletes one row and returns its size in bytes, or undefined when there was none. */
const DELETE: Record<Pin['kind'], (core: Core, digest: Digest) => number | undefined> = {
  layer: ({ database }, digest) =>
    database.get<{ size: number }>('DELETE FROM layers WHERE diff_id = ? RETURNING disk_size AS size', digest)?.size,
  blob: ({ database }, digest) =>
    database.get<{ size: number }>('DELETE FROM blobs WHERE digest = ? RETURNING size', digest)?.size,
  // Manifests and indexes go by removing images, never as leftovers of something else. A config is a row, not disk.
  document: ({ database }, digest) =>
    database.run(`DELETE FROM documents WHERE digest = ? AND kind = 'config'`, digest) > 0 ? 0 : undefined,
}

async function removeFiles(core: Core, { layers, blobs }: Swept): Promise<void> {
  for (const diffId of layers) await removeLayerFiles(core, diffId)
  for (const digest of blobs) await removeBlobFile(core, digest)
}

/** Under the lock that a writer of the layer would hold, and only while it has no row. False when there is one. */
export async function removeLayerFiles(core: Core, diffId: Digest): Promise<boolean> {
  const { database, layout } = core
  await using _lock = await acquireLock(layout.lock('layer', diffId))
  if (database.get('SELECT 1 FROM layers WHERE diff_id = ?', diffId)) return false
  await removeTree(layout.layerDirectory(diffId))
  return true
}

export async function removeBlobFile(core: Core, digest: Digest): Promise<boolean> {
  const { database, layout, blobs } = core
  await using _lock = await acquireLock(layout.lock('blob', digest))
  if (database.get('SELECT 1 FROM blobs WHERE digest = ?', digest)) return false
  await blobs.delete(digest)
  return true
}
