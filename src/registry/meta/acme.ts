import { type By, recordChange } from './audit.ts'
import { type SqlDatabase, text } from './sql.ts'

/** What processes of one registry share so that they have one certificate of an authority. Who writes a text seals it. */
export interface AcmeMeta {
  acmeText(name: string): Promise<string | undefined>
  /**
   * Adds or replaces a text, which is gone after `keep` milliseconds. `record` puts the change into the audit log, for
   * these names of hosts.
   */
  putAcmeText(name: string, value: string, options?: { keep?: number; record?: readonly string[] }): Promise<void>
  removeAcmeText(name: string): Promise<void>
  /** Removes all: texts whose seal nobody can open any more. */
  forgetAcmeTexts(): Promise<void>
}

export function acmeMeta(database: SqlDatabase, by: By): AcmeMeta {
  return {
    async acmeText(name) {
      const live = 'name = ? AND (expires_at IS NULL OR expires_at > now_ms())'
      const row = await database.get(`SELECT text FROM acme_texts WHERE ${live}`, name)
      return row && text(row['text'])
    },

    async putAcmeText(name, value, { keep, record } = {}) {
      await database.transaction(async (sql) => {
        await sql.run('DELETE FROM acme_texts WHERE expires_at <= now_ms()')
        await sql.run(
          `INSERT INTO acme_texts (name, text, expires_at) VALUES (?, ?, now_ms() + CAST(? AS BIGINT))
           ON CONFLICT (name) DO UPDATE SET text = excluded.text, expires_at = excluded.expires_at`,
          ...[name, value, keep ?? null],
        )
        if (record) await recordChange(sql, by, { action: 'certificate.set', target: record.join(' ') })
      })
    },

    async removeAcmeText(name) {
      await database.run('DELETE FROM acme_texts WHERE name = ?', name)
    },

    async forgetAcmeTexts() {
      await database.run('DELETE FROM acme_texts')
    },
  }
}
