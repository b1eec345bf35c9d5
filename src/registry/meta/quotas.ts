/** Quotas, judged at the end of the transaction that adds something. */
import type { BaleError } from '#base'
import { decide, limitsOn, type Quota, USAGE_KINDS, type Usage, type UsageKind } from '../decide/index.ts'
import { type By, recordChange } from './audit.ts'
import { OutOfDate, type Sql, type SqlDatabase, type SqlRow, type Transaction, text } from './sql.ts'
import { scopesOf, usageOf } from './usage.ts'

export interface QuotaMeta {
  /** Sets or replaces the quota of a scope; without limits removes it. False when there was none to remove. */
  setQuota(quota: Quota): Promise<boolean>
  /** By their scopes. */
  listQuotas(): Promise<Quota[]>
  /**
   * Holds `bytes` of an upload's repository, those that it has included, or the `least` when so much is not left; returns how
   * many it holds. Undefined when there are no quotas to judge by, `lost` when the lock was lost. QUOTA_EXCEEDED when
   * there is no room.
   */
  reserveUpload(
    id: string,
    options: { repository: string; token: string; bytes: number; least: number },
  ): Promise<number | 'lost' | undefined>
}

/** What a transaction added. */
export type Growth = Usage

export function quotaMeta(database: SqlDatabase, by: By): QuotaMeta {
  return {
    async setQuota({ scope, ...limits }) {
      return await database.transaction(async (sql) => {
        const given = USAGE_KINDS.filter((kind) => limits[kind] !== undefined)
        if (given.length === 0) {
          if ((await sql.run('DELETE FROM quotas WHERE scope = ?', scope)) === 0) return false
          await recordChange(sql, by, { action: 'quota.remove', target: scope })
          return true
        }
        await sql.run(
          `INSERT INTO quotas (scope, bytes, tags, repositories) VALUES (?, ?, ?, ?) ON CONFLICT (scope) DO UPDATE SET
           bytes = excluded.bytes, tags = excluded.tags, repositories = excluded.repositories`,
          ...[scope, ...USAGE_KINDS.map((kind) => limits[kind] ?? null)],
        )
        const detail = given.map((kind) => `${kind}=${limits[kind]}`).join(' ')
        await recordChange(sql, by, { action: 'quota.set', target: scope, detail })
        return true
      })
    },

    async listQuotas() {
      return (await database.all('SELECT * FROM quotas ORDER BY scope')).map(quotaOf)
    },

    async reserveUpload(id, { repository, token, bytes, least }) {
      if ((await quotasOf(database, repository)).length === 0) return undefined
      // Losing a reservation in a power cut does no harm: what the upload has counts in any case.
      return await database.transaction((sql) => reserve(sql, { id, repository, token, bytes, least }), {
        durable: false,
      })
    },
  }
}

async function reserve(
  sql: Transaction,
  {
    id,
    repository,
    token,
    bytes,
    least,
  }: { id: string; repository: string; token: string; bytes: number; least: number },
): Promise<number | 'lost'> {
  const row = await sql.get(
    `SELECT "offset", reserved FROM uploads WHERE id = ? AND lock_token = ? AND done IS NULL ${sql.lock('UPDATE')}`,
    ...[id, token],
  )
  if (!row) return 'lost'
  const held = Math.max(Number(row['offset']), Number(row['reserved']))
  const hold = async (most: number) => {
    await sql.run('UPDATE uploads SET reserved = ? WHERE id = ?', most, id)
    return await exceeded(sql, repository, { bytes: most - held, tags: 0, repositories: 0 })
  }
  if (!(await hold(bytes))) return bytes
  const refusal = await hold(least)
  if (refusal) throw refusal
  return least
}

/**
 * Throws QUOTA_EXCEEDED when what the transaction has added is too much. To be called last: nothing is waited for after it. Scopes
 * that had it already may be named.
 */
export async function judgeQuotas(
  sql: Transaction,
  repository: string,
  growth: Growth,
  had: readonly string[] = [],
): Promise<void> {
  const refusal = await exceeded(sql, repository, growth, had)
  if (refusal) throw refusal
}

async function exceeded(
  sql: Transaction,
  repository: string,
  growth: Growth,
  had: readonly string[] = [],
): Promise<BaleError | undefined> {
  if (USAGE_KINDS.every((kind) => growth[kind] <= 0)) return undefined
  for (const quota of await quotasOf(sql, repository)) {
    const limited = limitsOn(quota, growth)
    if (limited.length === 0 || had.includes(quota.scope)) continue
    const used = await usageForJudging(sql, { quota, limited, growth })
    const refusal = await decide('anyone', 'grow', { quota, used, growth })
    if (refusal) return refusal
  }
  return undefined
}

/** In the order of their names, in which all take their locks. */
async function quotasOf(sql: Sql, repository: string): Promise<Quota[]> {
  const scopes = scopesOf(repository)
  const marks = scopes.map(() => '?').join(', ')
  return (await sql.all(`SELECT * FROM quotas WHERE scope IN (${marks}) ORDER BY scope`, ...scopes)).map(quotaOf)
}

interface Judged {
  quota: Quota
  limited: readonly UsageKind[]
  growth: Growth
}

/**
 * Who adds little to what has much room left shares the quota's row with others like it; anybody else has it alone, when
 * all those are done. So pushes do not wait for each other before a quota is nearly full, and then none sees less than there is.
 */
async function usageForJudging(sql: Transaction, judged: Judged): Promise<Usage> {
  const { scope } = judged.quota
  const together = hasMuchRoom(judged, await usageOf(sql, scope))
  await sql.get(`SELECT 1 FROM quotas WHERE scope = ? ${sql.lock(together ? 'KEY SHARE' : 'UPDATE')}`, scope)
  const used = await usageOf(sql, scope)
  if (together && !hasMuchRoom(judged, used)) throw new OutOfDate('the quota was filled meanwhile')
  return used
}

/** An eighth is left, and 256 transactions at once that add as much do not fill it. */
function hasMuchRoom({ quota, limited, growth }: Judged, used: Usage): boolean {
  return limited.every((kind) => {
    const margin = quota[kind]! / 8
    return used[kind] <= quota[kind]! - margin && growth[kind] <= margin / 256
  })
}

function quotaOf(row: SqlRow): Quota {
  const limits = USAGE_KINDS.filter((kind) => row[kind] !== null).map((kind) => [kind, Number(row[kind])])
  return { scope: text(row['scope']), ...Object.fromEntries(limits) }
}
