import { firstPart, matchesPattern } from '../pattern/index.ts'
import { type By, recordChange } from './audit.ts'
import { raiseGate } from './gate-generation.ts'
import type { GateMeta, StoredException } from './scan-meta.ts'
import { type Sql, type SqlDatabase, type SqlRow, text } from './sql.ts'

type ExceptionMeta = Pick<GateMeta, 'addException' | 'removeException' | 'listExceptions' | 'tellExpiring'>

/** Milliseconds that those that have expired are still listed for. */
export const EXPIRED_FOR = 30 * 86_400_000

/** Vulnerabilities that do not count for a time. */
export function exceptionMeta(database: SqlDatabase, by: By): ExceptionMeta {
  return {
    async addException({ vulnerability, package: name, pattern, reason, lasts }) {
      return await database.transaction(async (sql) => {
        const row = await sql.get(
          `INSERT INTO exceptions (vulnerability, package, pattern, first, reason, author, created_at, expires_at)
           VALUES (?, ?, ?, ?, ?, ?, now_ms(), now_ms() + ?) RETURNING *`,
          ...[vulnerability, name ?? null, pattern, firstPart(pattern), reason, by.actor, lasts],
        )
        const added = exceptionOf(row!)
        await record(sql, by, 'exception.add', added)
        await raiseGate(sql)
        return added.id
      })
    },

    async removeException(id) {
      return await database.transaction(async (sql) => {
        const row = await sql.get('DELETE FROM exceptions WHERE id = ? RETURNING *', id)
        if (!row) return false
        await record(sql, by, 'exception.remove', exceptionOf(row))
        await raiseGate(sql)
        return true
      })
    },

    async listExceptions() {
      const rows = await database.all(
        'SELECT * FROM exceptions WHERE expires_at > now_ms() - ? ORDER BY id',
        EXPIRED_FOR,
      )
      return rows.map(exceptionOf)
    },

    async tellExpiring(within) {
      const due = 'expires_at > now_ms() AND expires_at <= now_ms() + ? AND told = 0'
      if (!(await database.get(`SELECT 1 FROM exceptions WHERE ${due} LIMIT 1`, within))) return 0
      return await database.transaction(async (sql) => {
        const rows = await sql.all(`UPDATE exceptions SET told = 1 WHERE ${due} RETURNING *`, within)
        for (const row of rows) await record(sql, by, 'exception.expiring', exceptionOf(row))
        return rows.length
      })
    },
  }
}

/** Those for a repository that have not expired, which cost the same however many there are. */
export async function exceptionsFor(sql: Sql, repository: string): Promise<StoredException[]> {
  const rows = await sql.all(
    `SELECT * FROM exceptions WHERE first IN (?, '*') AND expires_at > now_ms() ORDER BY id`,
    firstPart(repository),
  )
  return rows.map(exceptionOf).filter(({ pattern }) => matchesPattern(pattern, repository))
}

async function record(
  sql: Sql,
  by: By,
  action: 'exception.add' | 'exception.remove' | 'exception.expiring',
  { id, vulnerability, package: name, pattern, reason, expiresAt }: StoredException,
): Promise<void> {
  const what = name === undefined ? vulnerability : `${vulnerability} ${name}`
  const detail = `${id}: ${what} until ${new Date(expiresAt).toISOString().slice(0, 10)}: ${reason}`
  await recordChange(sql, by, { action, target: pattern, detail })
}

function exceptionOf(row: SqlRow): StoredException {
  return {
    id: Number(row['id']),
    vulnerability: text(row['vulnerability']),
    ...(row['package'] !== null && { package: text(row['package']) }),
    pattern: text(row['pattern']),
    reason: text(row['reason']),
    author: text(row['author']),
    createdAt: Number(row['created_at']),
    expiresAt: Number(row['expires_at']),
  }
}
