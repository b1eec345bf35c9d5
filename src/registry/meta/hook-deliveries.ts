import { randomUUID } from 'node:crypto'
import { type By, recordAct } from './audit.ts'
import { optionalText, type SqlDatabase, type SqlRow, type SqlValue, type Transaction, text } from './sql.ts'

/** `dead`: given up. */
export type DeliveryState = 'pending' | 'delivered' | 'dead'

/** An event for one hook, taken by somebody who is to deliver it now. */
export interface TakenDelivery {
  /** Grows with time; later changes of the same thing have larger ones. */
  id: number
  /** What whoever took it ends it with. */
  token: string
  /** The same for all hooks, and however often it is delivered. */
  eventId: string
  hook: { id: string; name: string; url: string /** Sealed. */; secret: string }
  action: string
  target: string
  data: Record<string, unknown>
  /** When it happened: milliseconds since 1970. */
  at: number
  /** With this one. */
  attempts: number
}

/** How a delivery stands. Times are milliseconds since 1970. */
export interface Delivery {
  id: number
  hook: string
  action: string
  target: string
  at: number
  state: DeliveryState
  attempts: number
  /** When it is tried next, if it is pending. */
  dueAt: number
  /** Of the last attempt. */
  lastAt?: number
  status?: number
  failure?: string
  /** How the answer began. */
  answer?: string
}

/** What came of an attempt. */
export interface AttemptResult {
  status?: number
  failure?: string
  answer?: string
  /** Or, in milliseconds, after what time it is tried again, and for how long since it was queued that is worth it. */
  next: 'delivered' | 'dead' | { again: number; within: number }
}

/** Deliveries of events. What was taken is due again after its lease: whoever took it may have died. */
export interface HookDeliveryMeta {
  /** Active hooks that have something due. */
  dueHooks(): Promise<string[]>
  /** How many deliveries are pending; `most` for that many or more. */
  pendingDeliveries(most: number): Promise<number>
  /** The first of those that are due, each to one caller. */
  takeDeliveries(hookId: string, options: { lease: number; limit: number }): Promise<TakenDelivery[]>
  /** Makes and takes a delivery that nothing caused. Undefined when there is no such hook. */
  takeTrial(name: string, options: { lease: number }): Promise<TakenDelivery | undefined>
  /** Undefined when another one has taken it, or it is gone. */
  endAttempt(taken: { id: number; token: string }, result: AttemptResult): Promise<DeliveryState | undefined>
  /** Gives back what was not tried. */
  releaseDelivery(taken: { id: number; token: string }): Promise<void>
  /** Gives back all: for the one process of an embedded registry when it starts after a crash. */
  freeDeliveries(): Promise<void>
  /** Newest first, of one hook or all, at most `limit` of those before one. */
  listDeliveries(page: { hook?: string; state?: DeliveryState; before?: number; limit: number }): Promise<Delivery[]>
  /** Has it delivered again, whatever became of it. False when there is none. */
  redeliver(id: number): Promise<boolean>
  /** Forgets deliveries that ended before, and those that wait for so long for a hook that is not active. Returns how many. */
  expireDeliveries(olderThan: number): Promise<number>
}

/** A delivery that is done twice after a power cut does less harm than a sync for each of them. */
const UNSYNCED = { durable: false }

const DUE = `
  SELECT h.id FROM hooks h WHERE h.active = 1 AND EXISTS
    (SELECT 1 FROM hook_deliveries d WHERE d.hook_id = h.id AND d.state = 'pending' AND d.due_at <= now_ms())`

const TAKEN = `
  SELECT d.id, d.event_id, d.action, d.target, d.data, d.at, d.attempts, h.id AS hook, h.name, h.url, h.secret
  FROM hook_deliveries d JOIN hooks h ON h.id = d.hook_id`

const NEXT = `${TAKEN}
  WHERE h.active = 1 AND d.hook_id = ? AND d.state = 'pending' AND d.due_at <= now_ms() ORDER BY d.due_at, d.id LIMIT ?`

const ADD_TRIAL = `
  INSERT INTO hook_deliveries (event_id, hook_id, action, target, data, at, state, attempts, due_at, queued_at)
  SELECT CAST(? AS TEXT), h.id, 'hook.test', h.name, '{}', now_ms(), 'pending', 0, now_ms(), now_ms() FROM hooks h
  WHERE h.name = ? RETURNING id`

const END = `
  UPDATE hook_deliveries SET token = NULL, last_at = now_ms(), status = ?, failure = ?, answer = ?, state = ?
  WHERE id = ? AND token = ? AND state = 'pending'`

const AGAIN = `
  UPDATE hook_deliveries SET token = NULL, last_at = now_ms(), status = ?, failure = ?, answer = ?, due_at = now_ms() + ?,
    state = CASE WHEN now_ms() + ? > queued_at + ? THEN 'dead' ELSE 'pending' END
  WHERE id = ? AND token = ? AND state = 'pending' RETURNING state`

export function hookDeliveryMeta(database: SqlDatabase, by: By): HookDeliveryMeta {
  return {
    async dueHooks() {
      return (await database.all(DUE)).map((row) => text(row['id']))
    },

    async pendingDeliveries(most) {
      const count = `SELECT count(*) AS pending FROM (SELECT 1 FROM hook_deliveries WHERE state = 'pending' LIMIT ?) AS found`
      return Number((await database.get(count, most))?.['pending'])
    },

    async takeDeliveries(hookId, { lease, limit }) {
      return await database.transaction(async (sql) => {
        const lock = sql.lock('UPDATE', { of: 'd', skipLocked: true })
        const rows = await sql.all(`${NEXT} ${lock}`, hookId, limit)
        return await takeEach(sql, rows, lease)
      }, UNSYNCED)
    },

    async takeTrial(name, { lease }) {
      return await database.transaction(async (sql) => {
        const added = await sql.get(ADD_TRIAL, randomUUID(), name)
        if (!added) return undefined
        await recordAct(sql, by, { action: 'hook.test', target: name })
        return (await takeEach(sql, await sql.all(`${TAKEN} WHERE d.id = ?`, Number(added['id'])), lease))[0]
      }, UNSYNCED)
    },

    async endAttempt({ id, token }, { status = null, failure = null, answer = null, next }) {
      return await database.transaction(async (sql) => {
        const told = [status, failure, answer]
        if (typeof next === 'string') {
          return (await sql.run(END, ...told, next, id, token)) === 1 ? next : undefined
        }
        const row = await sql.get(AGAIN, ...told, next.again, next.again, next.within, id, token)
        return row && (text(row['state']) as DeliveryState)
      }, UNSYNCED)
    },

    async releaseDelivery({ id, token }) {
      await database.run(
        `UPDATE hook_deliveries SET token = NULL, due_at = now_ms(), attempts = attempts - 1
         WHERE id = ? AND token = ? AND state = 'pending'`,
        ...[id, token],
      )
    },

    async freeDeliveries() {
      await database.run(
        `UPDATE hook_deliveries SET token = NULL, due_at = now_ms() WHERE token IS NOT NULL AND state = 'pending'`,
      )
    },

    async listDeliveries({ hook, state, before = Number.MAX_SAFE_INTEGER, limit }) {
      const wanted: [string, SqlValue][] = [['d.id < ?', before]]
      if (hook !== undefined) wanted.push(['h.name = ?', hook])
      if (state !== undefined) wanted.push(['d.state = ?', state])
      const rows = await database.all(
        `SELECT d.*, h.name FROM hook_deliveries d JOIN hooks h ON h.id = d.hook_id
         WHERE ${wanted.map(([condition]) => condition).join(' AND ')} ORDER BY d.id DESC LIMIT ?`,
        ...wanted.map(([, value]) => value),
        limit,
      )
      return rows.map(deliveryOf)
    },

    async redeliver(id) {
      return await database.transaction(async (sql) => {
        const queued = await sql.get(
          `UPDATE hook_deliveries SET state = 'pending', token = NULL, attempts = 0, due_at = now_ms(), queued_at = now_ms()
           WHERE id = ? RETURNING hook_id`,
          id,
        )
        if (!queued) return false
        const hook = await sql.get('SELECT name FROM hooks WHERE id = ?', text(queued['hook_id']))
        await recordAct(sql, by, { action: 'hook.redeliver', target: text(hook?.['name']), detail: `delivery ${id}` })
        return true
      })
    },

    async expireDeliveries(olderThan) {
      return await database.run(
        `DELETE FROM hook_deliveries WHERE (state <> 'pending' AND last_at < now_ms() - ?)
         OR (state = 'pending' AND queued_at < now_ms() - ? AND hook_id IN (SELECT id FROM hooks WHERE active = 0))`,
        ...[olderThan, olderThan],
      )
    },
  }
}

async function takeEach(sql: Transaction, rows: SqlRow[], lease: number): Promise<TakenDelivery[]> {
  const token = randomUUID()
  const take = 'UPDATE hook_deliveries SET token = ?, due_at = now_ms() + ?, attempts = attempts + 1 WHERE id = ?'
  for (const { id } of rows) await sql.run(take, token, lease, Number(id))
  return rows.map((row) => ({
    id: Number(row['id']),
    token,
    eventId: text(row['event_id']),
    hook: { id: text(row['hook']), name: text(row['name']), url: text(row['url']), secret: text(row['secret']) },
    action: text(row['action']),
    target: text(row['target']),
    data: JSON.parse(text(row['data'])) as Record<string, unknown>,
    at: Number(row['at']),
    attempts: Number(row['attempts']) + 1,
  }))
}

function deliveryOf(row: SqlRow): Delivery {
  const number = (value: unknown) => (value === null ? undefined : Number(value))
  return {
    id: Number(row['id']),
    hook: text(row['name']),
    action: text(row['action']),
    target: text(row['target']),
    at: Number(row['at']),
    state: text(row['state']) as DeliveryState,
    attempts: Number(row['attempts']),
    dueAt: Number(row['due_at']),
    lastAt: number(row['last_at']),
    status: number(row['status']),
    failure: optionalText(row['failure']),
    answer: optionalText(row['answer']),
  }
}
