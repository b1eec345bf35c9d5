import { randomUUID } from 'node:crypto'
import { type Digest, isManifestType } from '#spec'
import { type By, recordContentChange } from './audit.ts'
import { raiseGate } from './gate-generation.ts'
import { imageTree } from './image-tree.ts'
import { findingMeta } from './known-findings.ts'
import { endScan, sortable } from './scan-ends.ts'
import type { ScanMeta, TakenScan } from './scan-meta.ts'
import { scanResultMeta } from './scan-results.ts'
import { type Sql, type SqlDatabase, type SqlValue, type Transaction, text } from './sql.ts'

/** What is done twice after a power cut does less harm than a sync for each step. */
const UNSYNCED = { durable: false }

const WAITING = `SELECT digest FROM scans WHERE state = 'waiting' AND due_at <= now_ms() ORDER BY due_at LIMIT 1`

/** As the index of them has it. */
const AGAIN = `state IN ('later', 'scanned', 'failed')`

const OUTDATED = `SELECT digest FROM scans WHERE ${AGAIN} AND scanned_by < ? ORDER BY scanned_by LIMIT 1`

const TAKE = `
  UPDATE scans SET state = 'waiting', token = ?, due_at = now_ms() + ?, scanned_by = ?,
    queued_at = CASE WHEN state IN ('waiting', 'later') THEN queued_at ELSE now_ms() END,
    tries = CASE WHEN state = 'waiting' THEN tries + 1 ELSE 1 END WHERE digest = ? RETURNING tries`

/** Those from upstreams may lack their blobs, which another repository may have. */
const SOURCE = `
  SELECT r.name, m.media_type, m.body FROM
    (SELECT id, repo_id, media_type, body FROM manifests WHERE digest = ? LIMIT 20) m JOIN repositories r ON r.id = m.repo_id
  ORDER BY CASE WHEN EXISTS (SELECT 1 FROM cached_manifests c WHERE c.manifest_id = m.id) THEN 1 ELSE 0 END LIMIT 1`

/** Of a row that is there: one whose manifest went just now must not come back. */
const QUEUE = `
  UPDATE scans SET state = 'waiting', queued_at = now_ms(), tries = 0,
    due_at = CASE WHEN token IS NULL THEN now_ms() ELSE due_at END WHERE digest = ?`

const FORGET = `
  DELETE FROM scans WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM manifests m WHERE m.digest = scans.digest)`

export function scanMeta(database: SqlDatabase, by: By): ScanMeta {
  return {
    async takeScan({ lease, analyser }) {
      if (!(await nextScan(database, analyser))) return undefined
      return await database.transaction((sql) => takeNext(sql, { lease, analyser }), UNSYNCED)
    },

    async keepScan({ digest, token }, lease) {
      const keep = 'UPDATE scans SET due_at = now_ms() + ? WHERE digest = ? AND token = ?'
      return await database.transaction(async (sql) => (await sql.run(keep, lease, digest, token)) === 1, UNSYNCED)
    },

    endScan: (taken, end) => database.transaction((sql) => endScan(sql, taken, end)),

    async releaseScan({ digest, token }) {
      await database.run(
        'UPDATE scans SET token = NULL, due_at = queued_at, tries = tries - 1 WHERE digest = ? AND token = ?',
        ...[digest, token],
      )
    },

    async freeScans() {
      await database.run('UPDATE scans SET token = NULL, due_at = now_ms() WHERE token IS NOT NULL')
    },

    async queueScan(repository, digest) {
      return await database.transaction(async (sql) => {
        const found = (await imageTree(sql, repository, digest)) ?? []
        const images = found.filter(({ mediaType }) => mediaType !== undefined && isManifestType(mediaType))
        let queued = 0
        for (const image of images) queued += await sql.run(QUEUE, image.digest)
        if (queued === 0) return 0
        await recordContentChange(sql, by, { action: 'image.scan', repository, digest })
        await raiseGate(sql)
        return queued
      })
    },

    async findInventory(digest, inventoryId) {
      const [condition, values]: [string, SqlValue[]] =
        inventoryId === undefined ? ['ORDER BY inventory_id DESC LIMIT 1', []] : ['AND inventory_id = ?', [inventoryId]]
      const row = await database.get(
        `SELECT body FROM scan_inventories WHERE digest = ? ${condition}`,
        digest,
        ...values,
      )
      return row && (row['body'] as Uint8Array)
    },

    async countScans(most) {
      const count = (condition: string) =>
        `(SELECT count(*) FROM (SELECT 1 FROM scans WHERE ${condition} LIMIT ?) AS found)`
      const row = await database.get(
        `SELECT ${count(`state = 'waiting'`)} AS waiting, ${count(`${AGAIN} AND scanned_by = '' AND state = 'later'`)} AS later,
         ${count(`state = 'failed'`)} AS failed`,
        ...[most, most, most],
      )
      const waiting = Number(row?.['waiting']) + Number(row?.['later'])
      return { waiting: Math.min(most, waiting), failed: Number(row?.['failed']) }
    },

    ...scanResultMeta(database),
    ...findingMeta(database),
  }
}

async function nextScan(sql: Sql, analyser: string, lock = ''): Promise<Digest | undefined> {
  const row = (await sql.get(`${WAITING} ${lock}`)) ?? (await sql.get(`${OUTDATED} ${lock}`, sortable(analyser)))
  return row && (text(row['digest']) as Digest)
}

/** A scan of a manifest that no repository has is none: it goes, and holds up no other. */
async function takeNext(
  sql: Transaction,
  options: { lease: number; analyser: string },
): Promise<TakenScan | undefined> {
  const { lease, analyser } = options
  const digest = await nextScan(sql, analyser, sql.lock('UPDATE', { skipLocked: true }))
  if (digest === undefined) return undefined
  const source = await sql.get(SOURCE, digest)
  if (!source) {
    await sql.run(FORGET, digest)
    return await takeNext(sql, options)
  }
  const token = randomUUID()
  const taken = await sql.get(TAKE, token, lease, sortable(analyser), digest)
  return {
    ...{ digest, token, tries: Number(taken!['tries']) },
    repository: text(source['name']),
    manifest: { mediaType: text(source['media_type']), bytes: source['body'] as Uint8Array },
  }
}
