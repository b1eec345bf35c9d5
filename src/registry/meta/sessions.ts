import type { Account } from './account-meta.ts'
import { accountFor } from './accounts.ts'
import { type By, recordChange } from './audit.ts'
import { findAccount } from './find-account.ts'
import { type SqlDatabase, type Transaction, text } from './sql.ts'

/** A login of somebody in a browser. Its secret is stored as a hash. Times are milliseconds. */
interface NewSession {
  hash: string
  account: Pick<Account, 'id' | 'generation'>
  /** It ends when it is not used for so long, */
  unusedFor: number
  /** and after so long however much it is used. */
  lifetime: number
}

export interface SessionMeta {
  /** Of more than 20 of an account those go that were not used for longest. `missing` when the account is not there any more, or has other logins. */
  addSession(session: NewSession): Promise<'added' | 'missing'>
  /** The account of a live session, which is extended by being used. */
  useSession(hash: string, unusedFor: number): Promise<Account | undefined>
  /** False when it had ended before. */
  endSession(hash: string): Promise<boolean>
}

const MOST = 20
/** Its use is noted at most so often. */
const NOTED_EVERY = 60_000

export function sessionMeta(database: SqlDatabase, by: By): SessionMeta {
  return {
    async addSession({ hash, account, unusedFor, lifetime }) {
      return await database.transaction(async (sql) => {
        const name = await accountFor(sql, account)
        if (name === undefined) return 'missing'
        await makeRoom(sql, name)
        await sql.run(
          `INSERT INTO sessions (hash, user_name, generation, created_at, used_at, expires_at, ends_at)
           VALUES (?, ?, ?, now_ms(), now_ms(), now_ms() + ?, now_ms() + ?)`,
          ...[hash, name, account.generation, Math.min(unusedFor, lifetime), lifetime],
        )
        await recordChange(sql, by, { action: 'session.add', target: name })
        return 'added'
      })
    },

    async useSession(hash, unusedFor) {
      const row = await database.get(
        `SELECT s.user_name, now_ms() - s.used_at AS unused FROM sessions s
         JOIN users u ON u.name = s.user_name AND u.generation = s.generation WHERE s.hash = ? AND s.expires_at > now_ms()`,
        hash,
      )
      if (!row) return undefined
      if (Number(row['unused']) >= Math.min(NOTED_EVERY, unusedFor / 10)) {
        await database.run(
          `UPDATE sessions SET used_at = now_ms(),
           expires_at = CASE WHEN now_ms() + ? < ends_at THEN now_ms() + ? ELSE ends_at END WHERE hash = ?`,
          ...[unusedFor, unusedFor, hash],
        )
      }
      return await findAccount(database, 'name = ?', text(row['user_name']))
    },

    async endSession(hash) {
      return await database.transaction(async (sql) => {
        const row = await sql.get(`SELECT user_name FROM sessions WHERE hash = ? ${sql.lock('UPDATE')}`, hash)
        if (!row) return false
        await sql.run('DELETE FROM sessions WHERE hash = ?', hash)
        await recordChange(sql, by, { action: 'session.end', target: text(row['user_name']) })
        return true
      })
    },
  }
}

async function makeRoom(sql: Transaction, name: string): Promise<void> {
  await sql.run('DELETE FROM sessions WHERE user_name = ? AND expires_at <= now_ms()', name)
  await sql.run(
    `DELETE FROM sessions WHERE hash IN
     (SELECT hash FROM sessions WHERE user_name = ? ORDER BY used_at DESC, hash LIMIT 1000000 OFFSET ?)`,
    ...[name, MOST - 1],
  )
}
