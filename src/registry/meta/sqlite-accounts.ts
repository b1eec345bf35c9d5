import { randomBytes } from 'node:crypto'
import type { Clock } from '#base'
import { type Database, type Row, text } from './database.ts'
import type { Account, AccountMeta, Role } from './meta-store.ts'

/** What is below a name: `0` is the character after `/`. */
const BELOW = `
  SELECT name FROM repositories WHERE name > ? AND name < ?
  UNION ALL SELECT pattern FROM grants WHERE pattern > ? AND pattern < ? LIMIT 1`

/** Users, their grants, and the keys that sign tokens, in SQLite. */
export function sqliteAccounts(database: Database, clock: Clock): AccountMeta {
  const accountOf = (row: Row): Account => ({
    id: text(row['id']),
    generation: Number(row['generation']),
    name: text(row['name']),
    passwordHash: text(row['password_hash']),
    admin: row['admin'] === 1,
    grants: database
      .all('SELECT pattern, role FROM grants WHERE user_name = ? ORDER BY pattern', row['name']!)
      .map((grant) => ({ pattern: text(grant['pattern']), role: text(grant['role']) as Role })),
  })
  return {
    async findAccount(by) {
      const row =
        'id' in by
          ? database.get('SELECT * FROM users WHERE id = ?', by.id)
          : database.get('SELECT * FROM users WHERE name = ?', by.name)
      return row && accountOf(row)
    },
    async listAccounts() {
      return database.all('SELECT * FROM users ORDER BY name').map(accountOf)
    },
    async addAccount({ name, passwordHash, admin, adopt = false }) {
      return database.transaction(() => {
        if (database.get('SELECT 1 FROM users WHERE name = ?', name)) return { taken: name }
        const below = adopt ? undefined : database.get(BELOW, `${name}/`, `${name}0`, `${name}/`, `${name}0`)
        if (below) return { taken: text(below['name']) }
        database.run(
          'INSERT INTO users (id, name, password_hash, admin, created_at) VALUES (?, ?, ?, ?, ?)',
          randomBytes(16).toString('hex'),
          name,
          passwordHash,
          admin ? 1 : 0,
          clock.now(),
        )
        return 'added'
      })
    },
    async removeAccount(name) {
      return database.run('DELETE FROM users WHERE name = ?', name) === 1
    },
    async setPassword(name, passwordHash) {
      const sql = 'UPDATE users SET password_hash = ?, generation = generation + 1 WHERE name = ?'
      return database.run(sql, passwordHash, name) === 1
    },
    async setGrant(name, pattern, role) {
      return database.transaction(() => {
        if (!database.get('SELECT 1 FROM users WHERE name = ?', name)) return false
        if (role === undefined) {
          return database.run('DELETE FROM grants WHERE user_name = ? AND pattern = ?', name, pattern) === 1
        }
        database.run(
          `INSERT INTO grants (user_name, pattern, role) VALUES (?, ?, ?)
           ON CONFLICT (user_name, pattern) DO UPDATE SET role = excluded.role`,
          name,
          pattern,
          role,
        )
        return true
      })
    },
    async signingKeys() {
      return database.all('SELECT * FROM signing_keys ORDER BY created_at DESC, id').map((row) => ({
        id: text(row['id']),
        privateKey: text(row['private_key']),
        created: Number(row['created_at']),
      }))
    },
    async putSigningKey({ id, privateKey, created }) {
      database.run(
        `INSERT INTO signing_keys (id, private_key, created_at) VALUES (?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET private_key = excluded.private_key`,
        id,
        privateKey,
        created,
      )
    },
    async removeSigningKey(id) {
      database.run('DELETE FROM signing_keys WHERE id = ?', id)
    },
  }
}
