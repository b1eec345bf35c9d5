import { randomBytes } from 'node:crypto'
import type { Grant } from '../decide/index.ts'
import { firstPart } from '../pattern/index.ts'
import { insertToken } from './access-tokens.ts'
import type { Account, AccountKind, AccountMeta } from './account-meta.ts'
import { type By, recordChange } from './audit.ts'
import { accountsOf, findAccount } from './find-account.ts'
import { changeMember } from './groups.ts'
import { remembered } from './remembered.ts'
import { type SqlDatabase, type Transaction, text } from './sql.ts'

/** What is below a name: `0` is the character after `/`. */
const BELOW = `
  SELECT name FROM repositories WHERE name > ? AND name < ?
  UNION ALL SELECT pattern FROM grants WHERE pattern > ? AND pattern < ?
  UNION ALL SELECT pattern FROM public_patterns WHERE pattern > ? AND pattern < ? LIMIT 1`

/** The account itself, its teams and its robots: `0` is the character after `/`, and `,` the one after `+`. */
const OWNED = '(name = ? OR (name > ? AND name < ?) OR (name > ? AND name < ?))'
const ownedBy = (owner: string) => [owner, `${owner}/`, `${owner}0`, `${owner}+`, `${owner},`]

/** Accounts, their grants, and what is public. */
export function accountMeta(database: SqlDatabase, by: By): AccountMeta {
  const byId = remembered(database, (id) => findAccount(database, 'id = ?', id))
  const byName = remembered(database, (name) => findAccount(database, 'name = ?', name))
  return {
    // At each request: of a token by ID, of a password by name.
    findAccount: (by) => ('id' in by ? byId(by.id) : byName(by.name)),

    async listAccounts(kind, { owner, last = '', limit = Number.MAX_SAFE_INTEGER } = {}) {
      const rows = await database.all(
        `SELECT u.*, g.pattern, g.role FROM
           (SELECT * FROM users WHERE kind = ? AND name > ? ${owner === undefined ? '' : `AND ${OWNED}`} ORDER BY name LIMIT ?) u
         LEFT JOIN grants g ON g.user_name = u.name ORDER BY u.name, g.pattern`,
        ...[kind, last, ...(owner === undefined ? [] : ownedBy(owner)), limit],
      )
      return accountsOf(rows)
    },

    async addAccount({ kind, name, owner, passwordHash, admin = false, adopt, firstOwner, grants = [], token }) {
      return await database.transaction(async (sql) => {
        if (owner !== undefined && !(await isOwner(sql, owner, kind))) return { missing: owner }
        if (firstOwner !== undefined && !(await isThere(sql, firstOwner, ['user']))) return { missing: firstOwner }
        const outcome = await insertAccount(sql, by, { kind, name, passwordHash, admin, adopt })
        if (outcome !== 'added') return outcome
        if (firstOwner !== undefined) await changeMember(sql, by, { group: name, name: firstOwner, role: 'owner' })
        for (const grant of grants) await insertGrant(sql, by, name, grant)
        if (token) await insertToken(sql, by, name, token)
        return 'added'
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
        await insertGrant(sql, by, name, { pattern, role })
        return true
      })
    },

    async publicPatterns(repository) {
      const rows =
        repository === undefined
          ? await database.all('SELECT pattern FROM public_patterns ORDER BY pattern')
          : await database.all(`SELECT pattern FROM public_patterns WHERE first IN (?, '*')`, firstPart(repository))
      return rows.map((row) => text(row['pattern']))
    },

    async setPublic(pattern, isPublic) {
      const statement = isPublic
        ? 'INSERT INTO public_patterns (pattern, first) VALUES (?, ?) ON CONFLICT (pattern) DO NOTHING'
        : 'DELETE FROM public_patterns WHERE pattern = ?'
      const values = isPublic ? [pattern, firstPart(pattern)] : [pattern]
      return await database.transaction(async (sql) => {
        if ((await sql.run(statement, ...values)) === 0) return false
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

/** The role of an account in what a pattern matches, and the change on record. */
async function insertGrant(sql: Transaction, by: By, name: string, { pattern, role }: Grant): Promise<void> {
  await sql.run(
    `INSERT INTO grants (user_name, pattern, role) VALUES (?, ?, ?)
     ON CONFLICT (user_name, pattern) DO UPDATE SET role = excluded.role`,
    ...[name, pattern, role],
  )
  await recordChange(sql, by, { action: 'grant.set', target: name, detail: `${pattern}=${role}` })
}

function isOwner(sql: Transaction, name: string, kind: AccountKind): Promise<boolean> {
  return isThere(sql, name, kind === 'team' ? ['organisation'] : ['organisation', 'user'])
}

/** Nobody removes it before the transaction has ended. */
async function isThere(sql: Transaction, name: string, kinds: readonly AccountKind[]): Promise<boolean> {
  const marks = kinds.map(() => '?').join(', ')
  const there = `SELECT 1 FROM users WHERE name = ? AND kind IN (${marks}) ${sql.lock('KEY SHARE')}`
  return (await sql.get(there, name, ...kinds)) !== undefined
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
