import type { ContentTypes, ReleaseGate, Rule, StoredGate, TagPolicy } from '../decide/index.ts'
import { firstPart } from '../pattern/index.ts'
import { type By, recordChange } from './audit.ts'
import { resolveBases } from './base-images.ts'
import { raiseGate } from './gate-generation.ts'
import { type Sql, type SqlDatabase, type SqlRow, text } from './sql.ts'

/** Rules about tags and content. They hold for whatever begins after they were stored. */
export interface TagPolicyMeta {
  /** By their IDs. */
  listPolicies(): Promise<TagPolicy[]>
  /** Returns its ID. MANIFEST_NOT_FOUND for a missing base. */
  addPolicy(policy: Rule): Promise<number>
  /** False when there is none. */
  removePolicy(id: number): Promise<boolean>
}

export function tagPolicyMeta(database: SqlDatabase, by: By): TagPolicyMeta {
  return {
    listPolicies: () => readPolicies(database),

    async addPolicy(policy) {
      const { kind, pattern } = policy
      const { last = null, within = null } = policy.kind === 'keep' ? policy : {}
      const except = policy.kind === 'immutable' ? policy.except : []
      // A bale that knows no such rules takes them for one that keeps tags: it must keep all.
      const tags = 'tags' in policy ? policy.tags : ['*']
      return await database.transaction(async (sql) => {
        const row = await sql.get(
          `INSERT INTO tag_policies (kind, pattern, first, tags, excepted, keep_last, keep_within, rule, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, now_ms()) RETURNING id`,
          ...[kind, pattern, firstPart(pattern), JSON.stringify(tags), JSON.stringify(except), last, within],
          await ruleText(sql, policy),
        )
        const id = Number(row?.['id'])
        await recordChange(sql, by, {
          action: 'policy.add',
          target: pattern,
          detail: `${id}: ${kind} ${wordsOf(policy)}`.trim(),
        })
        if (kind === 'gate') await raiseGate(sql)
        return id
      })
    },

    async removePolicy(id) {
      return await database.transaction(async (sql) => {
        const policy = (await readPolicies(sql)).find((one) => one.id === id)
        if (!policy || (await sql.run('DELETE FROM tag_policies WHERE id = ?', id)) === 0) return false
        await recordChange(sql, by, {
          action: 'policy.remove',
          target: policy.pattern,
          detail: `${id}: ${policy.kind}`,
        })
        if (policy.kind === 'gate') await raiseGate(sql)
        return true
      })
    },
  }
}

/** All, or those that may be about a repository, which cost the same however many there are. */
export async function readPolicies(sql: Sql, repository?: string): Promise<TagPolicy[]> {
  const columns = 'id, kind, pattern, tags, excepted, keep_last, keep_within, rule'
  const rows =
    repository === undefined
      ? await sql.all(`SELECT ${columns} FROM tag_policies ORDER BY id`)
      : await sql.all(`SELECT ${columns} FROM tag_policies WHERE first IN (?, '*') ORDER BY id`, firstPart(repository))
  return rows.map(policyOf)
}

/** All of them. */
export async function readGates(sql: Sql): Promise<StoredGate[]> {
  const rows = await sql.all(`SELECT id, pattern, rule FROM tag_policies WHERE kind = 'gate' ORDER BY id`)
  return rows.map(gateOf)
}

function gateOf(row: SqlRow): StoredGate {
  const rule = JSON.parse(text(row['rule'])) as Omit<ReleaseGate, 'kind' | 'pattern'>
  return { ...rule, id: Number(row['id']), kind: 'gate', pattern: text(row['pattern']) }
}

function policyOf(row: SqlRow): TagPolicy {
  const [id, pattern, kind] = [Number(row['id']), text(row['pattern']), text(row['kind'])]
  if (kind === 'types' || kind === 'base') {
    const { allow, block } = JSON.parse(text(row['rule'])) as ContentTypes
    return { id, kind, pattern, allow, block }
  }
  if (kind === 'gate') return gateOf(row)
  const tags = listOf(row['tags'])
  if (kind === 'immutable') return { id, kind: 'immutable', pattern, tags, except: listOf(row['excepted']) }
  return {
    id,
    kind: 'keep',
    pattern,
    tags,
    ...(row['keep_last'] !== null && { last: Number(row['keep_last']) }),
    ...(row['keep_within'] !== null && { within: Number(row['keep_within']) }),
  }
}

async function ruleText(sql: Sql, policy: Rule): Promise<string | null> {
  if (policy.kind === 'immutable' || policy.kind === 'keep') return null
  if (policy.kind === 'gate') {
    const { kind: _, pattern: __, ...rule } = policy
    return JSON.stringify(rule)
  }
  const { allow, block } = policy
  return JSON.stringify(
    policy.kind === 'types'
      ? { allow, block }
      : { allow, block, chains: await resolveBases(sql, [...allow, ...block]) },
  )
}

function wordsOf(policy: Rule): string {
  if ('tags' in policy) return policy.tags.join(' ')
  if (policy.kind === 'gate') return wordsOfGate(policy)
  return [...policy.allow.map((one) => `allow=${one}`), ...policy.block.map((one) => `block=${one}`)].join(' ')
}

/** Keys of signers are too long for a line. */
function wordsOfGate({ kind, pattern, signers, exempt, unscanned, ...plain }: ReleaseGate): string {
  const words: [string, unknown][] = [
    ...Object.entries(plain),
    ['unscanned', typeof unscanned === 'object' ? `wait ${unscanned.wait}` : unscanned],
    ['signers', signers?.length],
    ['exempt', exempt?.join(',')],
  ]
  return words
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

const listOf = (value: unknown) => JSON.parse(text(value)) as string[]
