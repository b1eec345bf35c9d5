import type { Role } from '../decide/index.ts'
import type { Account, AccountKind } from './account-meta.ts'
import { optionalText, type Sql, type SqlRow, type SqlValue, text } from './sql.ts'

/** Whatever gives an account rights, each in its own part of an index. */
const RIGHTS = `
  SELECT pattern, role FROM grants WHERE user_name = (SELECT name FROM found)
  UNION SELECT g.pattern, g.role FROM members m JOIN grants g ON g.user_name = m.group_name
    WHERE m.member_name = (SELECT name FROM found)
  UNION SELECT m.group_name || '/**', 'admin' FROM members m
    WHERE m.member_name = (SELECT name FROM found) AND m.role = 'owner'`

/** `where` is about the columns of users. */
export async function findAccount(sql: Sql, where: string, ...values: SqlValue[]): Promise<Account | undefined> {
  const rows = await sql.all(
    `WITH found AS (SELECT * FROM users WHERE ${where})
     SELECT found.*, r.pattern, r.role FROM found LEFT JOIN (${RIGHTS}) r ON 1 = 1 ORDER BY r.pattern, r.role`,
    ...values,
  )
  return accountsOf(rows)[0]
}

/** A row for each grant of an account, or one without. */
export function accountsOf(rows: SqlRow[]): Account[] {
  const accounts = new Map<string, Account>()
  for (const row of rows) {
    const id = text(row['id'])
    const account = accounts.get(id) ?? {
      id,
      kind: text(row['kind']) as AccountKind,
      generation: Number(row['generation']),
      name: text(row['name']),
      passwordHash: optionalText(row['password_hash']) || undefined,
      ...(text(row['origin']) !== '' && { origin: text(row['origin']) }),
      admin: Number(row['admin']) === 1,
      grants: [],
    }
    accounts.set(id, account)
    if (row['pattern'] !== null) account.grants.push({ pattern: text(row['pattern']), role: text(row['role']) as Role })
  }
  return [...accounts.values()]
}
