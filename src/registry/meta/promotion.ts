import { BaleError } from '#base'
import type { Descriptor, Digest } from '#spec'
import { type By, recordContentChange } from './audit.ts'
import type { NewManifest } from './meta-store.ts'
import type { Promoted, PromotionMeta } from './promotion-meta.ts'
import { type Growth, judgeQuotas } from './quotas.ts'
import { optionalText, type SqlDatabase, type SqlRow, type Transaction, text } from './sql.ts'
import { blobOfRepository, showBlob } from './steps.ts'
import { storeManifest } from './store-manifest.ts'
import { plus } from './usage.ts'

/** What to copy, children before what holds them. */
interface Gathered {
  manifests: Map<Digest, NewManifest>
  from: { id: number; name: string }
  by: By
}

interface Copy extends Gathered {
  to: string
  lease: number
}

/** Undoes what a dry run did. */
class Tried extends Error {
  readonly outcome: Promoted

  constructor(outcome: Promoted) {
    super('undone')
    this.outcome = outcome
  }
}

export function promotionMeta(database: SqlDatabase, by: By): PromotionMeta {
  return {
    async promotedManifests(source, { referrers }) {
      return await database.transaction(async (sql) => {
        const root = await sourceOf(sql, source)
        if (!root) return undefined
        const from = { id: root.repoId, name: source.repository }
        return [
          ...(await gatherAll(sql, { manifests: new Map(), from, by }, { digest: root.digest, referrers })).keys(),
        ]
      })
    },

    async promoteImage(source, target, { lease, referrers = false, dryRun = false }) {
      try {
        return await database.transaction(async (sql) => {
          const root = await sourceOf(sql, source)
          if (!root) return undefined
          const from = { id: root.repoId, name: source.repository }
          const copy: Copy = { manifests: new Map(), from, to: target.repository, lease, by }
          await gatherAll(sql, copy, { digest: root.digest, referrers })
          if (target.tag !== undefined) copy.manifests.get(root.digest)!.tags.push(target.tag)
          const outcome = { digest: root.digest, ...(await store(sql, copy, root.digest)) }
          if (dryRun) throw new Tried(outcome)
          return outcome
        })
      } catch (error) {
        if (error instanceof Tried) return error.outcome
        throw error
      }
    },
  }
}

type Source = Parameters<PromotionMeta['promoteImage']>[0]

async function sourceOf(sql: Transaction, source: Source): Promise<{ repoId: number; digest: Digest } | undefined> {
  const row =
    'tag' in source
      ? await sql.get(
          `SELECT r.id, m.digest FROM repositories r JOIN tags t ON t.repo_id = r.id JOIN manifests m ON m.id = t.manifest_id
           WHERE r.name = ? AND t.name = ?`,
          ...[source.repository, source.tag],
        )
      : await sql.get(
          'SELECT r.id, m.digest FROM repositories r JOIN manifests m ON m.repo_id = r.id WHERE r.name = ? AND m.digest = ?',
          ...[source.repository, source.digest],
        )
  return row && { repoId: Number(row['id']), digest: text(row['digest']) as Digest }
}

async function gatherAll(
  sql: Transaction,
  copy: Gathered,
  { digest, referrers }: { digest: Digest; referrers: boolean },
): Promise<Gathered['manifests']> {
  await gather(sql, copy, digest)
  if (referrers) await gatherReferrers(sql, copy)
  return copy.manifests
}

/** A manifest and what is in it, each locked so that it does not go meanwhile. */
async function gather(sql: Transaction, copy: Gathered, digest: Digest): Promise<void> {
  if (copy.manifests.has(digest)) return
  const row = await sql.get(
    `SELECT * FROM manifests WHERE repo_id = ? AND digest = ? ${sql.lock('KEY SHARE')}`,
    ...[copy.from.id, digest],
  )
  if (!row) throw gone(copy, digest)
  const manifest = await manifestOf(sql, row, copy.by)
  await refuseIncomplete(sql, copy, { id: Number(row['id']), digest })
  for (const child of manifest.children) await gather(sql, copy, child)
  copy.manifests.set(digest, manifest)
}

/** Throws BLOB_NOT_FOUND for an image from an upstream of which nobody has pulled every blob yet. */
async function refuseIncomplete(
  sql: Transaction,
  { from }: Gathered,
  { id, digest }: { id: number; digest: Digest },
): Promise<void> {
  const absent = await sql.get(
    `SELECT cb.digest FROM cached_blobs cb WHERE cb.manifest_id = ? AND NOT EXISTS (SELECT 1 FROM manifest_blobs mb
       JOIN blob_digests d ON d.blob_id = mb.blob_id WHERE mb.manifest_id = cb.manifest_id AND d.digest = cb.digest)
     ORDER BY cb.digest LIMIT 1`,
    id,
  )
  if (!absent) return
  const blob = text(absent['digest'])
  throw new BaleError(
    'BLOB_NOT_FOUND',
    `${from.name}@${digest} needs ${blob}, which was not fetched from its upstream yet`,
    {
      hint: 'pull the image once from this registry',
    },
  )
}

async function manifestOf(sql: Transaction, row: SqlRow, { actor }: By): Promise<NewManifest> {
  const id = Number(row['id'])
  const children = await sql.all(
    'SELECT child_digest FROM manifest_children WHERE parent_id = ? ORDER BY child_digest',
    id,
  )
  const blobs = await sql.all(
    `SELECT d.digest, b.size FROM manifest_blobs mb JOIN blobs b ON b.id = mb.blob_id JOIN blob_digests d ON d.blob_id = b.id
     WHERE mb.manifest_id = ?`,
    id,
  )
  return {
    digest: text(row['digest']) as Digest,
    mediaType: text(row['media_type']),
    bytes: row['body'] as Uint8Array,
    artifactType: optionalText(row['artifact_type']),
    subject: optionalText(row['subject_digest']) as Digest | undefined,
    descriptor: JSON.parse(text(row['descriptor'])) as Descriptor,
    blobs: blobs.map((one) => ({ digest: text(one['digest']) as Digest, size: Number(one['size']), optional: false })),
    children: children.map((one) => text(one['child_digest']) as Digest),
    tags: [],
    actor,
  }
}

/** What refers to a manifest may be referred to itself. */
async function gatherReferrers(sql: Transaction, copy: Gathered): Promise<void> {
  for (let seen = new Set<Digest>(), more = true; more; ) {
    const fresh = [...copy.manifests.keys()].filter((digest) => !seen.has(digest))
    for (const digest of fresh) {
      const rows = await sql.all(
        'SELECT digest FROM manifests WHERE repo_id = ? AND subject_digest = ?',
        copy.from.id,
        digest,
      )
      for (const row of rows) await gather(sql, copy, text(row['digest']) as Digest)
      await gatherTagged(sql, copy, digest)
    }
    seen = new Set([...seen, ...fresh])
    more = copy.manifests.size > seen.size
  }
}

/** Clients that know no referrers keep them by tags. Source: distribution-spec, "Referrers Tag Schema". */
async function gatherTagged(sql: Transaction, copy: Gathered, digest: Digest): Promise<void> {
  const tag = digest.replace(':', '-')
  const rows = await sql.all(
    `SELECT t.name, m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id
     WHERE t.repo_id = ? AND (t.name = ? OR (t.name > ? AND t.name < ?))`,
    ...[copy.from.id, tag, `${tag}.`, `${tag}/`],
  )
  for (const row of rows) {
    const tagged = text(row['digest']) as Digest
    await gather(sql, copy, tagged)
    copy.manifests.get(tagged)!.tags.push(text(row['name']))
  }
}

async function store(sql: Transaction, copy: Copy, root: Digest): Promise<Omit<Promoted, 'digest'>> {
  const { manifests, from, to, by } = copy
  let growth = await showBlobs(sql, copy)
  let changed = growth.bytes > 0
  for (const manifest of manifests.values()) {
    const stored = await storeManifest(sql, to, manifest, by.address)
    if ('objection' in stored) throw gone(copy, manifest.digest)
    growth = plus(growth, stored.growth)
    changed ||= stored.changed
  }
  if (changed)
    await recordContentChange(sql, by, { action: 'image.promote', repository: to, detail: `${from.name}@${root}` })
  await judgeQuotas(sql, to, growth)
  return { changed, manifests: manifests.size, bytes: growth.bytes }
}

/** In the order of their digests, in which pushes lock them too. */
async function showBlobs(sql: Transaction, copy: Copy): Promise<Growth> {
  const digests = new Set([...copy.manifests.values()].flatMap(({ blobs }) => blobs.map(({ digest }) => digest)))
  let growth: Growth = { bytes: 0, tags: 0, repositories: 0 }
  for (const digest of [...digests].sort()) {
    const row = await blobOfRepository(sql, copy.from.name, digest, sql.lock('KEY SHARE', { of: 'b, rb' }))
    if (!row) throw gone(copy, digest)
    const blob = { blobId: Number(row['id']), size: Number(row['size']), lease: copy.lease }
    growth = plus(growth, await showBlob(sql, { repository: copy.to, ...blob }))
  }
  return growth
}

function gone({ from }: Gathered, digest: Digest): BaleError {
  return new BaleError('MANIFEST_NOT_FOUND', `${from.name} lacks ${digest}, which the image needs`)
}
