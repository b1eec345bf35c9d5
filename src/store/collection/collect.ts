import { join } from 'node:path'
import type { Recovered } from '#base'
import { treeSize } from '#host'
import { namesIn, removeTree } from '#host/file'
import { type Digest, hexOf } from '#spec'
import { type Core, type Swept, sweep } from '#store/content'
import { dropDeadLeases, isLeaseOpen } from '#store/leases'
import { deleteManifest, type Pin } from '#store/rows'
import { ifFree, orphans } from './orphans.ts'

/** What garbage collection removed. */
export interface Collected {
  layers: Digest[]
  blobs: Digest[]
  /** Configs without a manifest, manifests of artifacts that nothing names. */
  documents: Digest[]
  /** Paths: partial downloads, directories and files without a row. */
  leftovers: string[]
  /** Bytes on disk. */
  freed: number
}

/** `collect` as the recovery of the store. */
export async function recoverStore(core: Core): Promise<Recovered> {
  const { layers, blobs, documents, leftovers, freed } = await collect(core)
  return { removed: layers.length + blobs.length + documents.length + leftovers.length, freed }
}

/** May run at any time: content being written is locked or leased by its writer. */
export async function collect(core: Core): Promise<Collected> {
  dropDeadLeases(core.database, core.clock)
  const { swept, finish } = core.database.transaction(() => {
    const lost = deleteUnnamedArtifacts(core)
    const { swept, finish } = sweep(core, allRows(core))
    swept.documents.push(...lost)
    return { swept, finish }
  })
  await finish()
  const leftovers = await removeLeftovers(core, swept)
  return { ...swept, leftovers: leftovers.paths, freed: swept.freed + leftovers.freed }
}

function allRows({ database }: Core): Pin[] {
  return database.all<Pin>(`
    SELECT 'layer' AS kind, diff_id AS digest FROM layers
    UNION ALL SELECT 'blob', digest FROM blobs
    UNION ALL SELECT 'document', digest FROM documents WHERE kind = 'config'`)
}

/**
 * Manifests that are no images, and indexes with no part here, are kept by names only: an image without a name is docker's
 * dangling image, which stays until it is pruned; these are never visible.
 */
function deleteUnnamedArtifacts(core: Core): Digest[] {
  const sql = `SELECT digest FROM documents AS d WHERE kind <> 'config' AND image IS NULL
    AND NOT EXISTS (SELECT 1 FROM names WHERE digest = d.digest)
    AND NOT EXISTS (SELECT 1 FROM repo_digests WHERE digest = d.digest)
    AND NOT EXISTS (SELECT 1 FROM pins WHERE kind = 'document' AND digest = d.digest)
    AND NOT EXISTS (SELECT 1 FROM edges JOIN documents AS p ON p.digest = parent
                    WHERE edges.kind = 'part' AND child = d.digest)
    AND NOT EXISTS (SELECT 1 FROM edges JOIN documents AS c ON c.digest = child
                    WHERE edges.kind = 'part' AND parent = d.digest AND c.image IS NOT NULL)`
  const lost: Digest[] = []
  for (;;) {
    const rows = core.database.all<{ digest: Digest }>(sql)
    if (rows.length === 0) return lost
    for (const { digest } of rows) deleteManifest(core, digest)
    lost.push(...rows.map((row) => row.digest))
  }
}

/** Files in the store's directories without a row, and in tmp/ without a living owner. */
async function removeLeftovers(core: Core, { layers, blobs }: Swept) {
  const { database, layout } = core
  const done = { paths: [] as string[], freed: 0 }
  const swept = new Set([...layers, ...blobs].map(hexOf))
  for (const orphan of await orphans(core)) {
    if (swept.has(orphan.name)) continue
    const size = treeSize(orphan.path)
    if (!(await removeUnder(orphan.lock, orphan.isOrphan, orphan.path))) continue
    done.paths.push(orphan.path)
    done.freed += size
  }
  for (const name of await namesIn(layout.temporary)) {
    const path = join(layout.temporary, name)
    // A partial blob belongs to the holder of the lock file beside it. A stale lock file is removed by taking and releasing it.
    if (name.endsWith('.lock')) {
      await ifFree(path, async () => true)
      continue
    }
    const owner = /^([0-9a-f]{16})-/.exec(name)?.[1]
    if (owner && isLeaseOpen(database, owner)) continue
    const size = treeSize(path)
    const lock = join(layout.temporary, name.endsWith('.partial') ? name.replace(/partial$/, 'lock') : `${name}.lock`)
    if (!(await removeUnder(lock, () => true, path))) continue
    done.paths.push(path)
    done.freed += size
  }
  return done
}

/**
 * Removes something under the lock that its writer would hold. False when that is locked, or the reason to remove
 * it is gone.
 */
async function removeUnder(lock: string, isLeft: () => boolean, path: string): Promise<boolean> {
  return ifFree(lock, async () => {
    if (!isLeft()) return false
    await removeTree(path)
    return true
  })
}
