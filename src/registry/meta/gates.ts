import { type Digest, isIndexType } from '#spec'
import type { By } from './audit.ts'
import { exceptionMeta, exceptionsFor } from './exceptions.ts'
import { GATE } from './gate-generation.ts'
import { gatedImages } from './gated-images.ts'
import { imageStateMeta } from './image-states.ts'
import { manifestsOfBlob } from './manifests-of-blob.ts'
import type { GateMeta, ImageState, StoredReleaseFacts } from './scan-meta.ts'
import { STATUS_COLUMNS, STATUS_JOINS, scanStatusOf } from './scan-status.ts'
import { type Sql, type SqlDatabase, type SqlRow, text } from './sql.ts'
import { readGates } from './tag-policies.ts'
import { toldReleaseMeta } from './told-releases.ts'

const FACTS = `
  SELECT now_ms() AS now, m.id, m.repo_id, m.media_type, m.body,
    i.kind, i.reason, i.author, i.at AS said_at, ${STATUS_COLUMNS}
  FROM repositories r JOIN manifests m ON m.repo_id = r.id
  LEFT JOIN image_states i ON i.repository = r.name AND i.digest = m.digest ${STATUS_JOINS}
  WHERE r.name = ? AND m.digest = ?`

const CHILDREN = `
  SELECT c.child_digest FROM manifest_children c JOIN manifests m ON m.repo_id = ? AND m.digest = c.child_digest
  WHERE c.parent_id = ? ORDER BY c.child_digest`

export function gateMeta(database: SqlDatabase, by: By): GateMeta {
  return {
    async gateGeneration() {
      return Number((await database.get(`SELECT ${GATE}`))!['gate'])
    },

    async gateRules() {
      const gates = await readGates(database)
      const rows = await database.all('SELECT DISTINCT repository FROM image_states')
      return { gates, withStates: new Set(rows.map((row) => text(row['repository']))) }
    },

    async releaseFacts(repository, digest) {
      const row = await database.get(FACTS, repository, digest)
      return row && (await factsOf(database, repository, row))
    },

    manifestsOfBlob: (repository, digest, limit) => manifestsOfBlob(database, { repository, digest, limit }),
    gatedImages: (patterns, page) => gatedImages(database, patterns, page),
    ...exceptionMeta(database, by),
    ...imageStateMeta(database, by),
    ...toldReleaseMeta(database, by),
  }
}

async function factsOf(sql: Sql, repository: string, row: SqlRow): Promise<StoredReleaseFacts> {
  const mediaType = text(row['media_type'])
  const children = isIndexType(mediaType) ? await sql.all(CHILDREN, Number(row['repo_id']), Number(row['id'])) : []
  const [state, scan] = [stateOf(row), scanStatusOf(row)]
  return {
    now: Number(row['now']),
    mediaType,
    bytes: row['body'] as Uint8Array,
    children: children.map((child) => text(child['child_digest']) as Digest),
    ...(state && { state }),
    ...(scan && { scan }),
    exceptions: await exceptionsFor(sql, repository),
  }
}

function stateOf(row: SqlRow): ImageState | undefined {
  if (row['kind'] === null) return undefined
  return {
    kind: text(row['kind']) as ImageState['kind'],
    reason: text(row['reason']),
    author: text(row['author']),
    at: Number(row['said_at']),
  }
}
