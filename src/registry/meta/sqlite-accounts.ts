import type { Clock } from '#base'
import { type Database, type Row, text } from './database.ts'
import type { Account, AccountMeta, Role } from './meta-store.ts'

/** Users, their grants, and the keys that sign tokens, in SQLite. */
export function sqliteAccounts(database: Database, clock: Clock): AccountMeta {
  const accountOf = (row: Row): Account => ({
    name: text(row['name']),
    passwordHash: text(row['password_hash']),
    admin: row['admin'] === 1,
    grants: database
      .all('SELECT pattern, role FROM grants WHERE user_name = ? ORDER BY pattern', row['name']!)
      .map((grant) => ({ pattern: text(grant['pattern']), role: text(grant['role']) as Role })),
  })
  return {
    async findAccount(name) {
      const row = database.get('SELECT * FROM users WHERE name = ?', name)
      return row && accountOf(row)
    },
    async listAccounts() {
      return database.all('SELECT * FROM users ORDER BY name').map(accountOf)
    },
    async addAccount({ name, passwordHash, admin }) {
      const added = database.run(
        'INSERT INTO users (name, password_hash, admin, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING',
        name,
        passwordHash,
        admin ? 1 : 0,
        clock.now(),
      )
      return added === 1
    },
    async removeAccount(name) {
      return database.run('DELETE FROM users WHERE name = ?', name) === 1
    },
    async setPassword(name, passwordHash) {
      return database.run('UPDATE users SET password_hash = ? WHERE name = ?', passwordHash, name) === 1
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
      return database
        .all('SELECT id, private_key FROM signing_keys ORDER BY created_at DESC, id')
        .map((row) => ({ id: text(row['id']), privateKey: text(row['private_key']) }))
    },
    async addSigningKey({ id, privateKey, created }) {
      database.run('INSERT INTO signing_keys (id, private_key, created_at) VALUES (?, ?, ?)', id, privateKey, created)
    },
  }
}
