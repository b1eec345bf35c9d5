import { isBaleError } from '#base'
import type { Digest } from '#spec'
import { recordContentChange } from './audit.ts'
import { judgeContent } from './content-policies.ts'
import { refuseImmutableManifest } from './immutable-tags.ts'
import type { CachedContentMeta, CachedManifest, ManifestObjection, NewManifest } from './meta-store.ts'
import { judgeQuotas } from './quotas.ts'
import { setTag } from './set-tag.ts'
import { type SqlDatabase, type SqlRow, type Transaction, text } from './sql.ts'
import { blobOfRepository, removeManifest, repositoryOf } from './steps.ts'
import { addManifest } from './store-manifest.ts'

const BY_TAG = `
  SELECT m.digest, m.media_type, m.body, now_ms() - c.pulled_at AS pulled_ago, now_ms() - ct.checked_at AS checked_ago
  FROM repositories r JOIN tags t ON t.repo_id = r.id JOIN manifests m ON m.id = t.manifest_id
  LEFT JOIN cached_manifests c ON c.manifest_id = m.id LEFT JOIN cached_tags ct ON ct.repo_id = r.id AND ct.name = t.name
  WHERE r.name = ? AND t.name = ?`

const BY_DIGEST = `
  SELECT m.digest, m.media_type, m.body, now_ms() - c.pulled_at AS pulled_ago, NULL AS checked_ago
  FROM repositories r JOIN manifests m ON m.repo_id = r.id LEFT JOIN cached_manifests c ON c.manifest_id = m.id
  WHERE r.name = ? AND m.digest = ?`

/** Asking again, or noting a pull again, does no harm. */
const UNSYNCED = { durable: false }

export function cachedContentMeta(database: SqlDatabase): CachedContentMeta {
  return {
    async findCached(repository, reference) {
      const row =
        'tag' in reference
          ? await database.get(BY_TAG, repository, reference.tag)
          : await database.get(BY_DIGEST, repository, reference.digest)
      return row && cachedOf(row)
    },

    putCached: (repository, manifest) => database.transaction((sql) => storeCached(sql, repository, manifest)),

    async confirmCachedTag(repository, tag) {
      const repo = '(SELECT id FROM repositories WHERE name = ?)'
      const update = `UPDATE cached_tags SET checked_at = now_ms() WHERE repo_id = ${repo} AND name = ?`
      await database.transaction((sql) => sql.run(update, repository, tag), UNSYNCED)
    },

    async notePull(repository, digest) {
      const manifest = `(SELECT m.id FROM repositories r JOIN manifests m ON m.repo_id = r.id WHERE r.name = ? AND m.digest = ?)`
      const update = `UPDATE cached_manifests SET pulled_at = now_ms() WHERE manifest_id = ${manifest}`
      await database.transaction((sql) => sql.run(update, repository, digest), UNSYNCED)
    },

    async expectedSize(repository, digest) {
      const row = await database.get(
        `SELECT cb.size FROM cached_blobs cb JOIN manifests m ON m.id = cb.manifest_id JOIN repositories r ON r.id = m.repo_id
         WHERE cb.digest = ? AND r.name = ? LIMIT 1`,
        ...[digest, repository],
      )
      return row && Number(row['size'])
    },

    async linkExpected(repository, digest) {
      await database.transaction(async (sql) => {
        const blob = await blobOfRepository(sql, repository, digest, sql.lock('KEY SHARE', { of: 'b, rb' }))
        if (!blob) return
        await sql.run(
          `INSERT INTO manifest_blobs (manifest_id, blob_id) SELECT cb.manifest_id, CAST(? AS BIGINT) FROM cached_blobs cb
           JOIN manifests m ON m.id = cb.manifest_id WHERE cb.digest = ? AND m.repo_id = ? ON CONFLICT DO NOTHING`,
          ...[Number(blob['id']), digest, Number(blob['repo_id'])],
        )
      })
    },

    async removeUnpulled(below, unpulledFor) {
      let removed = 0
      // Removing an index makes its children removable: until nothing is left to do.
      for (let last = -1; removed !== last; ) {
        last = removed
        for (let page: Page | undefined = { after: 0, removed: 0 }; page; ) {
          const after: number = page.after
          page = await database.transaction((sql) => removeSome(sql, { below, unpulledFor, after }))
          removed += page?.removed ?? 0
        }
      }
      return removed
    },
  }
}

function cachedOf(row: SqlRow): CachedManifest {
  const since = (value: unknown) => (value === null ? undefined : Number(value))
  return {
    digest: text(row['digest']) as Digest,
    mediaType: text(row['media_type']),
    bytes: row['body'] as Uint8Array,
    checkedAgo: since(row['checked_ago']),
    pulledAgo: since(row['pulled_ago']),
  }
}

async function storeCached(
  sql: Transaction,
  repository: string,
  manifest: NewManifest,
): Promise<ManifestObjection | undefined> {
  const blobIds: number[] = []
  for (const { digest, size } of manifest.blobs.toSorted((a, b) => (a.digest < b.digest ? -1 : 1))) {
    const row = await blobOfRepository(sql, repository, digest, sql.lock('KEY SHARE', { of: 'b, rb' }))
    if (row && Number(row['size']) !== size) return { wrongSize: digest, size: Number(row['size']) }
    if (row) blobIds.push(Number(row['id']))
  }
  await judgeContent(sql, repository, manifest)
  const { id: repoId, isNew: isFirst } = await repositoryOf(sql, repository)
  const { id, isNew } = await addManifest(sql, { repoId, manifest, blobIds })
  // One that was pushed here stays what it is.
  if (isNew) await expect(sql, id, manifest)
  const by = { actor: manifest.actor }
  const growth = { bytes: isNew ? manifest.bytes.byteLength : 0, tags: 0, repositories: isFirst ? 1 : 0 }
  for (const tag of manifest.tags.toSorted()) {
    const done = await setTag(sql, { repository, repoId, tag, manifestId: id, digest: manifest.digest, ...by })
    if (done === 'added') growth.tags++
    await sql.run(
      `INSERT INTO cached_tags (repo_id, name, checked_at) VALUES (?, ?, now_ms()) ON CONFLICT (repo_id, name)
       DO UPDATE SET checked_at = excluded.checked_at`,
      ...[repoId, tag],
    )
  }
  if (isNew && manifest.tags.length === 0) {
    await recordContentChange(sql, by, { action: 'manifest.cache', repository, digest: manifest.digest })
  }
  await judgeQuotas(sql, repository, growth)
  return undefined
}

async function expect(sql: Transaction, id: number, { blobs }: NewManifest): Promise<void> {
  await sql.run('INSERT INTO cached_manifests (manifest_id, pulled_at) VALUES (?, now_ms())', id)
  const insert = 'INSERT INTO cached_blobs (manifest_id, digest, size) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
  for (const { digest, size } of blobs) await sql.run(insert, id, digest, size)
}

const BATCH = 100

interface Page {
  after: number
  removed: number
}

/** The unary plus on repo_id keeps SQLite from reading all manifests of the repository for each of them. */
const UNPULLED = `
  c.pulled_at < now_ms() - ? AND NOT EXISTS (SELECT 1 FROM manifest_children mc JOIN manifests p ON p.id = mc.parent_id
    WHERE mc.child_digest = m.digest AND +p.repo_id = m.repo_id AND p.id <> m.id)`

/** Undefined when there are no more. A pull that comes meanwhile is noted before or after, and finds it here or upstream. */
async function removeSome(
  sql: Transaction,
  { below, unpulledFor, after }: { below: string; unpulledFor: number; after: number },
): Promise<Page | undefined> {
  const candidates = await sql.all(
    `SELECT m.id, r.name FROM cached_manifests c JOIN manifests m ON m.id = c.manifest_id JOIN repositories r ON r.id = m.repo_id
     WHERE ${UNPULLED} AND r.name >= ? AND r.name < ? AND m.id > ? ORDER BY m.id LIMIT ${BATCH}
     ${sql.lock('UPDATE', { of: 'm', skipLocked: true })}`,
    ...[unpulledFor, `${below}/`, `${below}0`, after],
  )
  let removed = 0
  for (const row of candidates) {
    const manifestId = Number(row['id'])
    if (await isKept(sql, text(row['name']), manifestId)) continue
    await removeManifest(sql, manifestId, { actor: 'collector' })
    removed++
  }
  return candidates.length === 0 ? undefined : { after: Number(candidates.at(-1)!['id']), removed }
}

async function isKept(sql: Transaction, repository: string, manifestId: number): Promise<boolean> {
  try {
    await refuseImmutableManifest(sql, { repository, manifestId })
    return false
  } catch (error) {
    if (!isBaleError(error, 'TAG_IMMUTABLE')) throw error
    return true
  }
}
