import { randomBytes } from 'node:crypto'
import type { Account, AccountMeta, Role } from './meta-store.ts'
import { type SqlDatabase, type SqlRow, text } from './sql.ts'

/** What is below a name: `0` is the character after `/`. */
const BELOW = `
  SELECT name FROM repositories WHERE name > ? AND name < ?
  UNION ALL SELECT pattern FROM grants WHERE pattern > ? AND pattern < ? LIMIT 1`

const ACCOUNTS = `
  SELECT u.id, u.generation, u.name, u.password_hash, u.admin, g.pattern, g.role
  FROM users u LEFT JOIN grants g ON g.user_name = u.name`

/** Users, their grants, and the keys that sign tokens. */
export function accountMeta(database: SqlDatabase): AccountMeta {
  return {
    async findAccount(by) {
      const rows =
        'id' in by
          ? await database.all(`${ACCOUNTS} WHERE u.id = ? ORDER BY g.pattern`, by.id)
          : await database.all(`${ACCOUNTS} WHERE u.name = ? ORDER BY g.pattern`, by.name)
      return accountsOf(rows)[0]
    },

    async listAccounts() {
      return accountsOf(await database.all(`${ACCOUNTS} ORDER BY u.name, g.pattern`))
    },

    async addAccount({ name, passwordHash, admin, adopt = false }) {
      return await database.transaction(async (sql) => {
        const added = await sql.run(
          `INSERT INTO users (id, name, password_hash, admin, created_at, generation) VALUES (?, ?, ?, ?, now_ms(), 1)
           ON CONFLICT (name) DO NOTHING`,
          ...[randomBytes(16).toString('hex'), name, passwordHash, admin ? 1 : 0],
        )
        if (added === 0) return { taken: name }
        const below = adopt ? undefined : await sql.get(BELOW, `${name}/`, `${name}0`, `${name}/`, `${name}0`)
        if (!below) return 'added'
        await sql.run('DELETE FROM users WHERE name = ?', name)
        return { taken: text(below['name']) }
      })
    },

    async removeAccount(name) {
      return (await database.run('DELETE FROM users WHERE name = ?', name)) === 1
    },

    async setPassword(name, passwordHash) {
      const sql = 'UPDATE users SET password_hash = ?, generation = generation + 1 WHERE name = ?'
      return (await database.run(sql, passwordHash, name)) === 1
    },

    async setGrant(name, pattern, role) {
      return await database.transaction(async (sql) => {
        const user = await sql.get(`SELECT 1 FROM users WHERE name = ? ${sql.lock('KEY SHARE')}`, name)
        if (!user) return false
        if (role === undefined) {
          return (await sql.run('DELETE FROM grants WHERE user_name = ? AND pattern = ?', name, pattern)) === 1
        }
        await sql.run(
          `INSERT INTO grants (user_name, pattern, role) VALUES (?, ?, ?)
           ON CONFLICT (user_name, pattern) DO UPDATE SET role = excluded.role`,
          ...[name, pattern, role],
        )
        return true
      })
    },

    async signingKeys() {
      const rows = await database.all(
        'SELECT id, private_key, now_ms() - created_at AS age FROM signing_keys ORDER BY created_at DESC, id',
      )
      return rows.map((row) => ({
        id: text(row['id']),
        privateKey: text(row['private_key']),
        age: Number(row['age']),
      }))
    },

    async putSigningKey({ id, privateKey }) {
      await database.run(
        `INSERT INTO signing_keys (id, private_key, created_at) VALUES (?, ?, now_ms())
         ON CONFLICT (id) DO UPDATE SET private_key = excluded.private_key`,
        ...[id, privateKey],
      )
    },

    async removeSigningKey(id) {
      await database.run('DELETE FROM signing_keys WHERE id = ?', id)
    },
  }
}

/** A row for each grant of a user, or one without. */
function accountsOf(rows: SqlRow[]): Account[] {
  const accounts = new Map<string, Account>()
  for (const row of rows) {
    const id = text(row['id'])
    const account = accounts.get(id) ?? {
      id,
      generation: Number(row['generation']),
      name: text(row['name']),
      passwordHash: text(row['password_hash']),
      admin: Number(row['admin']) === 1,
      grants: [],
    }
    accounts.set(id, account)
    if (row['pattern'] !== null) account.grants.push({ pattern: text(row['pattern']), role: text(row['role']) as Role })
  }
  return [...accounts.values()]
}
