import { useToken } from './access-tokens.ts'
import type { AccessToken, Account } from './account-meta.ts'
import { accountFor, endKept } from './accounts.ts'
import { type By, recordChange } from './audit.ts'
import { findAccount } from './find-account.ts'
import { type Sql, type SqlDatabase, type SqlRow, type Transaction, text } from './sql.ts'

/** What a client has in place of the password that it logged in with. It is stored as a hash. */
interface NewRefreshToken {
  hash: string
  account: Pick<Account, 'id' | 'generation'>
  /** ID of the access token that was shown: it ends with that. */
  accessToken?: string
  /** What the client calls itself. */
  client: string
  /** Who has it, if that is not the account itself; for the audit log. */
  holder?: string
  /** Milliseconds. Without it, it ends when it is unused for long. */
  lifetime?: number
}

/** Something that an account is logged in with. Times are milliseconds since 1970. */
export interface KeptLogin {
  /** What keeps it. */
  kind: 'browser' | 'program'
  /** What the program calls itself; empty for one that does not say. */
  client: string
  createdAt: number
  /** About when it was used last. */
  usedAt?: number
  /** When it ends, however much it is used. */
  endsAt?: number
}

export interface RefreshTokenMeta {
  /**
   * Forgets those of the account that have ended, and of more than 300 the ones that are least likely to be used
   * again. `missing` when the account is not there any more, or has another password.
   */
  addRefreshToken(token: NewRefreshToken, unusedFor: number): Promise<'added' | 'missing'>
  /**
   * One whose time is not over, of an account whose password is still that of before; notes that it was used. One without a
   * lifetime has ended when it was not used for `unusedFor` milliseconds.
   */
  useRefreshToken(hash: string, unusedFor: number): Promise<{ account: Account; token?: AccessToken } | undefined>
  /** What a user is logged in with, but for access tokens, newest first; some may have ended without use. Undefined when there is no such user. */
  listLogins(name: string): Promise<KeptLogin[] | undefined>
  /** Ends what a user is logged in with, but for access tokens. False when there is no such user. */
  endLogins(name: string): Promise<boolean>
}

/** Whoever asks for a new one with each request shall not fill the database. */
const MOST = 300
/** Its use is noted at most so often. */
const NOTED_EVERY = 3_600_000

const ALIVE = `CASE WHEN expires_at IS NULL THEN coalesce(used_at, created_at) > now_ms() - ? ELSE expires_at > now_ms() END`

/** Refresh tokens of users and robots. */
export function refreshTokenMeta(database: SqlDatabase, by: By): RefreshTokenMeta {
  return {
    async addRefreshToken({ hash, account, accessToken, client, holder, lifetime }, unusedFor) {
      return await database.transaction(async (sql) => {
        const name = await accountFor(sql, account)
        if (name === undefined) return 'missing'
        await makeRoom(sql, name, unusedFor)
        await sql.run(
          `INSERT INTO refresh_tokens (hash, user_name, generation, access_token, client, created_at, expires_at)
           VALUES (?, ?, ?, ?, ?, now_ms(), ${lifetime === undefined ? 'NULL' : 'now_ms() + ?'})`,
          ...[hash, name, account.generation, accessToken ?? null, client],
          ...(lifetime === undefined ? [] : [lifetime]),
        )
        const detail = [client, holder === undefined ? '' : `for ${holder}`].filter(Boolean).join(' ')
        await recordChange(sql, by, { action: 'login.add', target: name, detail: detail || undefined })
        return 'added'
      })
    },

    async useRefreshToken(hash, unusedFor) {
      const row = await database.get(
        `SELECT t.*, now_ms() - coalesce(t.used_at, 0) AS unused FROM refresh_tokens t
         JOIN users u ON u.name = t.user_name AND u.generation = t.generation WHERE t.hash = ? AND ${ALIVE_OF_T}`,
        ...[hash, unusedFor],
      )
      const found = row && (await whoseIs(database, row))
      if (row && found && Number(row['unused']) >= Math.min(NOTED_EVERY, unusedFor / 10)) {
        await database.run('UPDATE refresh_tokens SET used_at = now_ms() WHERE hash = ?', hash)
      }
      return found
    },

    async listLogins(name) {
      if (!(await database.get(`SELECT 1 FROM users WHERE name = ? AND kind = 'user'`, name))) return undefined
      return (await database.all(LOGINS, name, name)).map(loginOf)
    },

    async endLogins(name) {
      return await database.transaction(async (sql) => {
        const next = `UPDATE users SET generation = generation + 1 WHERE name = ? AND kind = 'user'`
        if ((await sql.run(next, name)) === 0) return false
        await endKept(sql, name)
        await recordChange(sql, by, { action: 'user.logout', target: name })
        return true
      })
    },
  }
}

const LOGINS = `
  SELECT 'browser' AS kind, '' AS client, created_at, used_at, ends_at FROM sessions WHERE user_name = ? AND expires_at > now_ms()
  UNION ALL SELECT 'program', client, created_at, used_at, expires_at FROM refresh_tokens
    WHERE user_name = ? AND (expires_at IS NULL OR expires_at > now_ms())
  ORDER BY created_at DESC, kind`

function loginOf(row: SqlRow): KeptLogin {
  const time = (value: unknown) => (value === null ? undefined : Number(value))
  return {
    kind: text(row['kind']) as KeptLogin['kind'],
    client: text(row['client']),
    createdAt: Number(row['created_at']),
    usedAt: time(row['used_at']),
    endsAt: time(row['ends_at']),
  }
}

const ALIVE_OF_T = ALIVE.replaceAll(/\b(expires_at|used_at|created_at)\b/g, 't.$1')

/** Those that were made a while ago and never used go first, then those that were used longest ago. */
async function makeRoom(sql: Transaction, name: string, unusedFor: number): Promise<void> {
  await sql.run(`DELETE FROM refresh_tokens WHERE user_name = ? AND NOT (${ALIVE})`, name, unusedFor)
  await sql.run(
    `DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE user_name = ?
       ORDER BY CASE WHEN used_at IS NULL AND created_at < now_ms() - ? THEN 1 ELSE 0 END, coalesce(used_at, created_at) DESC
       LIMIT 1000000 OFFSET ?)`,
    ...[name, NOTED_EVERY, MOST - 1],
  )
}

async function whoseIs(sql: Sql, row: SqlRow): Promise<{ account: Account; token?: AccessToken } | undefined> {
  if (row['access_token'] !== null) return await useToken(sql, { id: text(row['access_token']) })
  const account = await findAccount(sql, 'name = ?', text(row['user_name']))
  return account && { account }
}
