import { randomBytes } from 'node:crypto'
import type { Account, AccountKind, AccountMeta, Role } from './account-meta.ts'
import { type By, recordChange } from './audit.ts'
import { optionalText, type Sql, type SqlDatabase, type SqlRow, type SqlValue, type Transaction, text } from './sql.ts'

/** What is below a name: `0` is the character after `/`. */
const BELOW = `
  SELECT name FROM repositories WHERE name > ? AND name < ?
  UNION ALL SELECT pattern FROM grants WHERE pattern > ? AND pattern < ?
  UNION ALL SELECT pattern FROM public_patterns WHERE pattern > ? AND pattern < ? LIMIT 1`

/** Whatever gives an account rights, each in its own part of an index. */
const RIGHTS = `
  SELECT pattern, role FROM grants WHERE user_name = (SELECT name FROM found)
  UNION SELECT g.pattern, g.role FROM members m JOIN grants g ON g.user_name = m.group_name
    WHERE m.member_name = (SELECT name FROM found)
  UNION SELECT m.group_name || '/**', 'admin' FROM members m
    WHERE m.member_name = (SELECT name FROM found) AND m.role = 'owner'`

/** Accounts, their grants, and what is public. */
export function accountMeta(database: SqlDatabase, by: By): AccountMeta {
  return {
    findAccount: (by) =>
      'id' in by ? findAccount(database, 'id = ?', by.id) : findAccount(database, 'name = ?', by.name),

    async listAccounts(kind) {
      const rows = await database.all(
        `SELECT u.*, g.pattern, g.role FROM users u LEFT JOIN grants g ON g.user_name = u.name
         WHERE u.kind = ? ORDER BY u.name, g.pattern`,
        kind,
      )
      return accountsOf(rows)
    },

    async addAccount({ kind, name, owner, passwordHash, admin = false, adopt }) {
      return await database.transaction(async (sql) => {
        if (owner !== undefined && !(await isOwner(sql, owner, kind))) return { missing: owner }
        return await insertAccount(sql, by, { kind, name, passwordHash, admin, adopt })
      })
    },

    async removeAccount(name, kind) {
      return await database.transaction(async (sql) => {
        const there = await sql.get(`SELECT 1 FROM users WHERE name = ? AND kind = ? ${sql.lock('UPDATE')}`, name, kind)
        if (!there) return 'absent'
        const needed = kind === 'organisation' && (await oneBelow(sql, name))
        if (needed) return { needed }
        await removeWithOwn(sql, name)
        if (kind === 'organisation') await removeRightsBelow(sql, name)
        await recordChange(sql, by, { action: `${kind}.remove`, target: name })
        return 'removed'
      })
    },

    async setPassword(name, passwordHash) {
      return await database.transaction(async (sql) => {
        const set = `UPDATE users SET password_hash = ?, generation = generation + 1 WHERE name = ? AND kind = 'user' AND origin = ''`
        if ((await sql.run(set, passwordHash, name)) === 0) return false
        await endKept(sql, name)
        await recordChange(sql, by, { action: 'user.password', target: name })
        return true
      })
    },

    async setAdmin(name, admin) {
      return await database.transaction(async (sql) => {
        const set = `UPDATE users SET admin = ? WHERE name = ? AND kind = 'user'`
        if ((await sql.run(set, admin ? 1 : 0, name)) === 0) return false
        await recordChange(sql, by, { action: 'user.admin', target: name, detail: admin ? 'given' : 'taken' })
        return true
      })
    },

    async setGrant(name, pattern, role) {
      return await database.transaction(async (sql) => {
        const user = await sql.get(`SELECT 1 FROM users WHERE name = ? ${sql.lock('KEY SHARE')}`, name)
        if (!user) return false
        if (role === undefined) {
          const removed = await sql.run('DELETE FROM grants WHERE user_name = ? AND pattern = ?', name, pattern)
          if (removed === 1) await recordChange(sql, by, { action: 'grant.remove', target: name, detail: pattern })
          return removed === 1
        }
        await sql.run(
          `INSERT INTO grants (user_name, pattern, role) VALUES (?, ?, ?)
           ON CONFLICT (user_name, pattern) DO UPDATE SET role = excluded.role`,
          ...[name, pattern, role],
        )
        await recordChange(sql, by, { action: 'grant.set', target: name, detail: `${pattern}=${role}` })
        return true
      })
    },

    async publicPatterns() {
      const rows = await database.all('SELECT pattern FROM public_patterns ORDER BY pattern')
      return rows.map((row) => text(row['pattern']))
    },

    async setPublic(pattern, isPublic) {
      const statement = isPublic
        ? 'INSERT INTO public_patterns (pattern) VALUES (?) ON CONFLICT (pattern) DO NOTHING'
        : 'DELETE FROM public_patterns WHERE pattern = ?'
      return await database.transaction(async (sql) => {
        if ((await sql.run(statement, pattern)) === 0) return false
        await recordChange(sql, by, { action: isPublic ? 'public.add' : 'public.remove', target: pattern })
        return true
      })
    },
  }
}

/** A row of an account, and the change on record. Takes the name, unless it is taken. */
export async function insertAccount(
  sql: Transaction,
  by: By,
  account: {
    kind: AccountKind
    name: string
    passwordHash?: string | undefined
    admin: boolean
    adopt?: boolean | undefined
    origin?: string
    subject?: string | undefined
  },
): Promise<'added' | { taken: string }> {
  const { kind, name, passwordHash = '', admin, adopt = false, origin = '', subject = null } = account
  const added = await sql.run(
    `INSERT INTO users (id, kind, name, password_hash, admin, created_at, generation, origin, subject)
     VALUES (?, ?, ?, ?, ?, now_ms(), 1, ?, ?) ON CONFLICT (name) DO NOTHING`,
    ...[randomBytes(16).toString('hex'), kind, name, passwordHash, admin ? 1 : 0, origin, subject],
  )
  if (added === 0) return { taken: name }
  const range = [`${name}/`, `${name}0`]
  const below = adopt ? undefined : await sql.get(BELOW, ...range, ...range, ...range)
  if (below) {
    await sql.run('DELETE FROM users WHERE name = ?', name)
    return { taken: text(below['name']) }
  }
  const detail = [...(admin ? ['admin'] : []), ...(origin === '' ? [] : [`by ${origin}`])].join(' ')
  await recordChange(sql, by, { action: `${kind}.add`, target: name, detail: detail || undefined })
  return 'added'
}

/** `where` is about the columns of users. */
export async function findAccount(sql: Sql, where: string, ...values: SqlValue[]): Promise<Account | undefined> {
  const rows = await sql.all(
    `WITH found AS (SELECT * FROM users WHERE ${where})
     SELECT found.*, r.pattern, r.role FROM found LEFT JOIN (${RIGHTS}) r ON 1 = 1 ORDER BY r.pattern, r.role`,
    ...values,
  )
  return accountsOf(rows)[0]
}

/** The name of an account that is still what it was; it is not removed before the transaction ends. */
export async function accountFor(
  sql: Transaction,
  { id, generation }: Pick<Account, 'id' | 'generation'>,
): Promise<string | undefined> {
  const lock = sql.lock('KEY SHARE')
  const row = await sql.get(`SELECT name FROM users WHERE id = ? AND generation = ? ${lock}`, id, generation)
  return row && text(row['name'])
}

/** Removes what clients and browsers keep of an account that is in its next generation: it is good for nothing any more. */
export async function endKept(sql: Transaction, name: string): Promise<void> {
  for (const table of ['refresh_tokens', 'sessions']) await sql.run(`DELETE FROM ${table} WHERE user_name = ?`, name)
}

async function isOwner(sql: Transaction, name: string, kind: AccountKind): Promise<boolean> {
  const owners = kind === 'team' ? `'organisation'` : `'organisation', 'user'`
  // Nobody removes it before this transaction has ended.
  const lock = sql.lock('KEY SHARE')
  return (await sql.get(`SELECT 1 FROM users WHERE name = ? AND kind IN (${owners}) ${lock}`, name)) !== undefined
}

async function oneBelow(sql: Transaction, name: string): Promise<string | undefined> {
  const row = await sql.get('SELECT name FROM repositories WHERE name > ? AND name < ? LIMIT 1', `${name}/`, `${name}0`)
  return row && text(row['name'])
}

/** Its teams and robots go first: `0` is the character after `/`, and `,` the one after `+`. */
async function removeWithOwn(sql: Transaction, name: string): Promise<void> {
  await sql.run('DELETE FROM users WHERE name > ? AND name < ?', `${name}/`, `${name}0`)
  await sql.run('DELETE FROM users WHERE name > ? AND name < ?', `${name}+`, `${name},`)
  await sql.run('DELETE FROM users WHERE name = ?', name)
}

/** So that whoever gets the name next does not find them. */
async function removeRightsBelow(sql: Transaction, name: string): Promise<void> {
  for (const table of ['grants', 'public_patterns']) {
    await sql.run(`DELETE FROM ${table} WHERE pattern > ? AND pattern < ?`, `${name}/`, `${name}0`)
  }
}

/** A row for each grant of an account, or one without. */
function accountsOf(rows: SqlRow[]): Account[] {
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
