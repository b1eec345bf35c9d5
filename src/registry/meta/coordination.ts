import type { CoordinationMeta } from './meta-store.ts'
import { type SqlDatabase, type Transaction, text } from './sql.ts'

/** One try: its ID and its time. */
type Try = [string, number]

/** Losing a try in a power cut does no harm. */
const UNSYNCED = { durable: false }

/** What processes of one registry share: the time, attempts, turns. */
export function coordinationMeta(database: SqlDatabase): CoordinationMeta {
  return {
    async now() {
      return Number((await database.get('SELECT now_ms() AS now'))!['now'])
    },

    async countAttempt(id, { limits, period }) {
      return await database.transaction(async (sql) => {
        const counted: { key: string; tries: Try[] }[] = []
        // In the order of their names, so that two who count under the same keys wait for each other and not in a circle.
        for (const { key, limit } of limits.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
          const { tries, now } = await triesOf(sql, key, period)
          if (tries.length >= limit) return { wait: Math.max(1, tries[0]![1] + period - now) }
          counted.push({ key, tries: [...tries, [id, now]] })
        }
        for (const { key, tries } of counted) await putTries(sql, key, tries)
        return 'counted'
      }, UNSYNCED)
    },

    async giveBackAttempt(id, keys) {
      await database.transaction(async (sql) => {
        for (const key of keys.toSorted()) {
          const row = await sql.get(`SELECT tries FROM attempts WHERE key = ? ${sql.lock('UPDATE')}`, key)
          if (row)
            await putTries(
              sql,
              key,
              parseTries(row['tries']).filter(([one]) => one !== id),
            )
        }
      }, UNSYNCED)
    },

    async takeTurn(name, holder, duration) {
      const taken = await database.run(
        `INSERT INTO turns (name, holder, turn_until) VALUES (?, ?, now_ms() + ?) ON CONFLICT (name)
         DO UPDATE SET holder = excluded.holder, turn_until = excluded.turn_until
         WHERE turns.turn_until < now_ms() OR turns.holder = excluded.holder`,
        ...[name, holder, duration],
      )
      return taken === 1
    },

    async endTurn(name, holder) {
      await database.run('DELETE FROM turns WHERE name = ? AND holder = ?', name, holder)
    },
  }
}

/** The tries of the period, oldest first. Locks the row, making it first if needed. */
async function triesOf(sql: Transaction, key: string, period: number): Promise<{ tries: Try[]; now: number }> {
  await sql.run(
    `INSERT INTO attempts (key, tries, expires_at) VALUES (?, '[]', now_ms() + ?)
     ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at`,
    ...[key, period],
  )
  const row = (await sql.get('SELECT tries, now_ms() AS now FROM attempts WHERE key = ?', key))!
  const now = Number(row['now'])
  return { now, tries: parseTries(row['tries']).filter(([, at]) => at > now - period) }
}

async function putTries(sql: Transaction, key: string, tries: Try[]): Promise<void> {
  if (tries.length === 0) await sql.run('DELETE FROM attempts WHERE key = ?', key)
  else await sql.run('UPDATE attempts SET tries = ? WHERE key = ?', JSON.stringify(tries), key)
}

const parseTries = (value: unknown): Try[] => JSON.parse(text(value)) as Try[]
