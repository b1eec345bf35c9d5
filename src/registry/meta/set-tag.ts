import type { Digest } from '#spec'
import type { By } from './audit.ts'
import { objectionToMove } from './immutable-tags.ts'
import { OutOfDate, type Transaction } from './sql.ts'
import { recordTag } from './steps.ts'

interface Tagging extends By {
  repository: string
  repoId: number
  tag: string
  manifestId: number
  digest: Digest
}

const ADD = `
  INSERT INTO tags (repo_id, name, manifest_id, version, updated_at, pushed_at, updated_by)
  VALUES (?, ?, ?, 1, now_ms(), now_ms(), ?) ON CONFLICT (repo_id, name)`

const MOVE = `
  DO UPDATE SET manifest_id = excluded.manifest_id, version = tags.version + 1, updated_at = excluded.updated_at,
    pushed_at = excluded.pushed_at, updated_by = excluded.updated_by WHERE tags.manifest_id <> excluded.manifest_id`

/**
 * Points a tag at a manifest, whose row is locked by the caller. The same push twice changes the time of the last push alone: no new
 * version, no second line of history. An immutable tag is added, never moved (TAG_IMMUTABLE): of two that add it at once, the
 * second waits for the first and finds its tag. Returns what it did.
 */
export async function setTag(sql: Transaction, tagging: Tagging): Promise<'added' | 'moved' | 'same'> {
  const { repository, repoId, tag, manifestId, digest, ...by } = tagging
  const refusal = await objectionToMove(sql, repository, tag)
  const add = `${ADD} ${refusal ? 'DO NOTHING' : MOVE} RETURNING version`
  const set = await sql.get(add, repoId, tag, manifestId, by.actor)
  if (set) {
    await recordTag(sql, { repoId, tag, digest, ...by })
    return Number(set['version']) === 1 ? 'added' : 'moved'
  }
  const again = 'UPDATE tags SET pushed_at = now_ms() WHERE repo_id = ? AND name = ? AND manifest_id = ?'
  if ((await sql.run(again, repoId, tag, manifestId)) === 1) return 'same'
  const there = await sql.get('SELECT 1 FROM tags WHERE repo_id = ? AND name = ?', repoId, tag)
  if (refusal && there) throw refusal
  throw new OutOfDate('the tag went meanwhile')
}
