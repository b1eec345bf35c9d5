import { asError, isBaleError, type OperationOptions, silent } from '#base'
import { createHasher, digestOf } from '#blob'
import { removeTree } from '#host/file'
import { algorithmOf, type Digest } from '#spec'
import { type Core, loadFormat, removeBlobFile, removeLayerFiles } from '#store/content'
import { type DocumentRow, findBlob, findLayer, imagesNeeding, shownImage } from '#store/rows'
import { ifFree, orphans } from './orphans.ts'

export interface CheckOptions extends OperationOptions {
  /** Removes what is damaged (a pull or build makes it again) and what has no row. */
  repair?: boolean
  /** Only whether files exist with the right size, without reading them. */
  quick?: boolean
}

/** Something damaged or missing that the check of a store found, and whether it was repaired. */
export interface Finding {
  kind: 'layer' | 'blob' | 'document' | 'leftover' | 'database'
  /** Digest or path. */
  subject: string
  problem: string
  /** Names (or IDs) of the images that need it. */
  images: string[]
  repaired: boolean
}

/**
 * Compares what the database says with what is on disk: every row has its files with the right digests, every layer
 * reproduces its tar, every file has its row. One linear read of the store.
 */
export async function check(core: Core, options: CheckOptions = {}): Promise<Finding[]> {
  const findings: Finding[] = []
  const progress = options.progress ?? silent
  const { database } = core
  for (const { integrity_check: text } of database.all<{ integrity_check: string }>('PRAGMA integrity_check')) {
    if (text !== 'ok') findings.push(finding('database', core.layout.database, text, []))
  }
  for (const row of database.all<DocumentRow>('SELECT * FROM documents ORDER BY digest')) {
    options.signal?.throwIfAborted()
    await checkDocument(core, row, options, findings)
  }
  for (const { digest } of database.all<{ digest: Digest }>('SELECT digest FROM blobs ORDER BY digest')) {
    options.signal?.throwIfAborted()
    progress({ kind: 'blob', digest, phase: 'checking' })
    const problem = await blobProblem(core, digest, options)
    if (problem) findings.push(await dropBlob(core, digest, problem, options))
  }
  for (const { digest } of database.all<{ digest: Digest }>('SELECT diff_id AS digest FROM layers ORDER BY diff_id')) {
    options.signal?.throwIfAborted()
    progress({ kind: 'layer', digest, phase: 'checking' })
    const problem = await layerProblem(core, digest, options)
    if (problem) findings.push(await dropLayer(core, digest, problem, options))
  }
  findings.push(...missing(core))
  for (const orphan of await orphans(core)) {
    // What is locked is being written right now, row last: no orphan.
    const found = await ifFree(orphan.lock, async () => {
      if (!orphan.isOrphan()) return false
      if (options.repair) await removeTree(orphan.path)
      return true
    })
    const problem = 'has no row in the database'
    if (found) findings.push({ ...finding('leftover', orphan.path, problem, []), repaired: options.repair ?? false })
  }
  return findings
}

function finding(kind: Finding['kind'], subject: string, problem: string, images: string[]): Finding {
  return { kind, subject, problem, images, repaired: false }
}

async function checkDocument(core: Core, row: DocumentRow, options: CheckOptions, findings: Finding[]): Promise<void> {
  const digest = digestOf(row.bytes, algorithmOf(row.digest))
  if (digest === row.digest) return
  const images = row.kind === 'config' ? shownImage(core, row.digest) : row.image ? shownImage(core, row.image) : []
  const found = finding('document', row.digest, `has the digest ${digest}`, images)
  if (options.repair) core.database.run('DELETE FROM documents WHERE digest = ?', row.digest)
  findings.push({ ...found, repaired: options.repair ?? false })
}

async function blobProblem(core: Core, digest: Digest, { quick, signal }: CheckOptions): Promise<string | undefined> {
  if (!findBlob(core, digest)) return 'its file is missing or has the wrong size'
  if (quick) return undefined
  const hasher = createHasher(algorithmOf(digest))
  for await (const chunk of await core.blobs.read(digest)) {
    signal?.throwIfAborted()
    hasher.update(chunk)
  }
  const found = hasher.digest()
  return found === digest ? undefined : `its file has the digest ${found}`
}

async function layerProblem(core: Core, diffId: Digest, options: CheckOptions): Promise<string | undefined> {
  const record = findLayer(core, diffId)
  if (!record) return 'its directory is missing'
  if (options.quick) return undefined
  try {
    const format = await loadFormat(core, record.format)
    await format.verify(record.directory, record, { signal: options.signal })
    return undefined
  } catch (error) {
    options.signal?.throwIfAborted()
    if (isBaleError(error, 'UNSUPPORTED_HOST')) throw error
    return asError(error).message
  }
}

async function dropBlob(core: Core, digest: Digest, problem: string, { repair }: CheckOptions): Promise<Finding> {
  const found = finding('blob', digest, problem, imagesNeeding(core, 'blob', digest))
  if (!repair) return found
  core.database.run('DELETE FROM blobs WHERE digest = ?', digest)
  return { ...found, repaired: await removeBlobFile(core, digest) }
}

async function dropLayer(core: Core, diffId: Digest, problem: string, { repair }: CheckOptions): Promise<Finding> {
  const found = finding('layer', diffId, problem, imagesNeeding(core, 'layer', diffId))
  if (!repair) return found
  core.database.run('DELETE FROM layers WHERE diff_id = ?', diffId)
  return { ...found, repaired: await removeLayerFiles(core, diffId) }
}

/** Content that manifests need but that has no row: an earlier repair removed it, or a check before a mount. */
function missing(core: Core): Finding[] {
  const sql = `SELECT DISTINCT kind, child FROM edges WHERE
    (kind = 'layer' AND child NOT IN (SELECT diff_id FROM layers)) OR
    (kind = 'blob' AND child NOT IN (SELECT digest FROM blobs)) OR
    (kind = 'document' AND child NOT IN (SELECT digest FROM documents))`
  const rows = core.database.all<{ kind: 'layer' | 'blob' | 'document'; child: Digest }>(sql)
  return rows.map(({ kind, child }) => finding(kind, child, 'is missing', imagesNeeding(core, kind, child)))
}
