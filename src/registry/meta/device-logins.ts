import type { Account } from './account-meta.ts'
import { accountFor } from './accounts.ts'
import { type By, recordChange } from './audit.ts'
import { findAccount } from './find-account.ts'
import { type SqlDatabase, type SqlRow, type Transaction, text } from './sql.ts'

/** A program that waits for somebody to let it in. Its codes are stored as hashes. Times are milliseconds. */
export interface DeviceLogin {
  /** What it calls itself. */
  client: string
  address: string
}

interface NewDeviceLogin extends DeviceLogin {
  /** Of the code that the program shows when it asks. */
  hash: string
  /** Of the code that a person reads. */
  userHash: string
  /** What those of one client are counted by. */
  network: string
  lifetime: number
  /** The least between two questions. */
  pollEvery: number
}

/** What a program is answered. `unknown`: there is none, or it was let in before. */
export type DevicePoll = 'pending' | 'slow' | 'denied' | 'expired' | 'unknown' | { account: Account; client: string }

export interface DeviceLoginMeta {
  /** `full` when too many wait, in all or of this network; `taken` when one has the same code. */
  addDeviceLogin(login: NewDeviceLogin): Promise<'added' | 'full' | 'taken'>
  /** One that waits, and about which nothing is decided. */
  findDeviceLogin(userHash: string): Promise<DeviceLogin | undefined>
  /** False when there is none that waits, or the account is not what it was. */
  decideDeviceLogin(
    userHash: string,
    decision: { account: Pick<Account, 'id' | 'generation'>; allow: boolean },
  ): Promise<boolean>
  /** One that was let in is forgotten by this: only the first who asks gets the account. */
  pollDeviceLogin(hash: string): Promise<DevicePoll>
}

const MOST = { all: 10_000, network: 20 }
/** What a program waits longer when it asks too often. Source: RFC 8628, section 3.5. */
const SLOWER = 5_000
const SLOWEST = 60_000
/** For timers and networks that are not exact. */
const LENIENCE = 500
/** Losing a question in a power cut does no harm. */
const UNSYNCED = { durable: false }

export function deviceLoginMeta(database: SqlDatabase, by: By): DeviceLoginMeta {
  return {
    async addDeviceLogin({ hash, userHash, client, address, network, lifetime, pollEvery }) {
      return await database.transaction(async (sql) => {
        await sql.run('DELETE FROM device_logins WHERE expires_at <= now_ms()')
        if (await isFull(sql, network)) return 'full'
        const added = await sql.run(
          `INSERT INTO device_logins (hash, user_hash, client, address, network, created_at, expires_at, poll_every, state)
           VALUES (?, ?, ?, ?, ?, now_ms(), now_ms() + ?, ?, 'pending') ON CONFLICT (user_hash) DO NOTHING`,
          ...[hash, userHash, client, address, network, lifetime, pollEvery],
        )
        return added === 1 ? 'added' : 'taken'
      }, UNSYNCED)
    },

    async findDeviceLogin(userHash) {
      const row = await database.get(`SELECT client, address FROM device_logins WHERE ${WAITING}`, userHash)
      return row && { client: text(row['client']), address: text(row['address']) }
    },

    async decideDeviceLogin(userHash, { account, allow }) {
      return await database.transaction(async (sql) => {
        const name = await accountFor(sql, account)
        if (name === undefined) return false
        const row = await sql.get(
          `SELECT client, address FROM device_logins WHERE ${WAITING} ${sql.lock('UPDATE')}`,
          userHash,
        )
        if (!row) return false
        await sql.run(
          'UPDATE device_logins SET state = ?, user_name = ?, generation = ? WHERE user_hash = ?',
          ...[allow ? 'allowed' : 'denied', name, account.generation, userHash],
        )
        const detail = [text(row['client']), `at ${text(row['address'])}`].join(' ')
        await recordChange(sql, by, { action: allow ? 'device.allow' : 'device.deny', target: name, detail })
        return true
      })
    },

    async pollDeviceLogin(hash) {
      return await database.transaction(async (sql) => {
        const row = await sql.get(
          `SELECT d.*, now_ms() - d.polled_at AS since, now_ms() >= d.expires_at AS expired FROM device_logins d
           WHERE d.hash = ? ${sql.lock('UPDATE')}`,
          hash,
        )
        if (!row) return 'unknown'
        if (row['expired'] === true || row['expired'] === 1) return 'expired'
        return (await tooSoon(sql, row)) ? 'slow' : await answerTo(sql, row)
      })
    },
  }
}

const WAITING = `user_hash = ? AND state = 'pending' AND expires_at > now_ms()`

async function isFull(sql: Transaction, network: string): Promise<boolean> {
  const row = await sql.get(
    `SELECT (SELECT count(*) FROM device_logins) AS every, (SELECT count(*) FROM device_logins WHERE network = ?) AS own`,
    network,
  )
  return Number(row?.['every']) >= MOST.all || Number(row?.['own']) >= MOST.network
}

async function tooSoon(sql: Transaction, row: SqlRow): Promise<boolean> {
  const every = Number(row['poll_every'])
  const soon = row['since'] !== null && Number(row['since']) < every - LENIENCE
  await sql.run(
    'UPDATE device_logins SET polled_at = now_ms(), poll_every = ? WHERE hash = ?',
    ...[soon ? Math.min(SLOWEST, every + SLOWER) : every, text(row['hash'])],
  )
  return soon
}

async function answerTo(sql: Transaction, row: SqlRow): Promise<DevicePoll> {
  if (text(row['state']) !== 'allowed') return text(row['state']) as 'pending' | 'denied'
  await sql.run('DELETE FROM device_logins WHERE hash = ?', text(row['hash']))
  const account = await findAccount(sql, 'name = ?', text(row['user_name']))
  // Whoever was logged out meanwhile has let nobody in.
  return account?.generation === Number(row['generation']) ? { account, client: text(row['client']) } : 'denied'
}
