import type { SigningKeyMeta } from './meta-store.ts'
import { type SqlDatabase, text } from './sql.ts'

/** The keys that sign tokens. */
export function signingKeyMeta(database: SqlDatabase): SigningKeyMeta {
  return {
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
