import type { Role } from '../decide/index.ts'
import type { AccessToken, AccessTokenMeta, Account, NewAccessToken } from './account-meta.ts'
import { type By, recordChange } from './audit.ts'
import { findAccount } from './find-account.ts'
import { type Sql, type SqlDatabase, type SqlRow, type Transaction, text } from './sql.ts'

/** Its use is noted once in so many milliseconds, so that most requests write nothing. */
const NOTED_EVERY = 3_600_000

/** Access tokens of users and robots. */
export function accessTokenMeta(database: SqlDatabase, by: By): AccessTokenMeta {
  return {
    async addAccessToken(account, token) {
      return await database.transaction(async (sql) => {
        if (!(await hasTokens(sql, account, sql.lock('KEY SHARE')))) return 'missing'
        return await insertToken(sql, by, account, token)
      })
    },

    useAccessToken: (by) => useToken(database, by),

    async listAccessTokens(account) {
      if (!(await hasTokens(database, account))) return undefined
      const rows = await database.all('SELECT * FROM access_tokens WHERE user_name = ? ORDER BY label', account)
      return rows.map(tokenOf)
    },

    async removeAccessToken(account, label) {
      return await database.transaction(async (sql) => {
        const statement = 'DELETE FROM access_tokens WHERE user_name = ? AND label = ?'
        if ((await sql.run(statement, account, label)) === 0) return false
        await recordChange(sql, by, { action: 'token.remove', target: account, detail: label })
        return true
      })
    },
  }
}

/** A token's row, and the change on record. The account's row is locked by the caller, or new. */
export async function insertToken(
  sql: Transaction,
  by: By,
  account: string,
  { id, label, role, pattern, hash, lifetime }: NewAccessToken,
): Promise<'added' | 'taken'> {
  const added = await sql.run(
    `INSERT INTO access_tokens (id, user_name, label, hash, role, pattern, created_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, now_ms(), ${lifetime === undefined ? 'NULL' : 'now_ms() + ?'})
     ON CONFLICT (user_name, label) DO NOTHING`,
    ...[id, account, label, hash, role, pattern, ...(lifetime === undefined ? [] : [lifetime])],
  )
  if (added === 0) return 'taken'
  await recordChange(sql, by, { action: 'token.add', target: account, detail: `${label}: ${pattern}=${role}` })
  return 'added'
}

/** As `useAccessToken`. */
export async function useToken(
  sql: Sql,
  by: { hash: string } | { id: string },
): Promise<{ token: AccessToken; account: Account } | undefined> {
  const [where, value] = 'hash' in by ? ['hash = ?', by.hash] : ['id = ?', by.id]
  const row = await sql.get(
    `SELECT *, now_ms() - coalesce(used_at, 0) AS unused FROM access_tokens
     WHERE ${where} AND (expires_at IS NULL OR expires_at > now_ms())`,
    value,
  )
  if (!row) return undefined
  const account = await findAccount(sql, 'name = ?', text(row['user_name']))
  if (!account) return undefined
  if (Number(row['unused']) >= NOTED_EVERY) {
    await sql.run('UPDATE access_tokens SET used_at = now_ms() WHERE id = ?', text(row['id']))
  }
  return { token: tokenOf(row), account }
}

async function hasTokens(sql: Sql, name: string, lock = ''): Promise<boolean> {
  const found = await sql.get(`SELECT 1 FROM users WHERE name = ? AND kind IN ('user', 'robot') ${lock}`, name)
  return found !== undefined
}

function tokenOf(row: SqlRow): AccessToken {
  const time = (value: unknown) => (value === null ? undefined : Number(value))
  return {
    id: text(row['id']),
    label: text(row['label']),
    role: text(row['role']) as Role,
    pattern: text(row['pattern']),
    createdAt: Number(row['created_at']),
    expiresAt: time(row['expires_at']),
    usedAt: time(row['used_at']),
  }
}
