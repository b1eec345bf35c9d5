import type { Digest } from '#spec'
import { raiseGate } from './gate-generation.ts'
import { optionalText, type Sql, type SqlDatabase, type SqlRow, type Transaction, text } from './sql.ts'
import { queueObject } from './steps.ts'
import { MOVED, type MovedTable } from './transfer-tables.ts'

/** A row on its way from one database to another: numbers are text. */
export type TransferRow = Readonly<Record<string, string | Uint8Array | null>>

/** An object that is being written, and what its store notes about it. */
interface NotedObject {
  key: string
  state?: string | undefined
}

/** What is needed to move a registry from one database to another, table by table. */
export interface TransferMeta {
  /** Rows in the order of their keys, after that of another row, without their large column. */
  readRows(table: MovedTable, page: { after?: TransferRow; limit: number }): Promise<TransferRow[]>
  /** All of one row. */
  readRow(table: MovedTable, key: TransferRow): Promise<TransferRow | undefined>
  /** Adds rows, or changes those that are there with their keys. */
  putRows(table: MovedTable, rows: readonly TransferRow[]): Promise<void>
  removeRows(table: MovedTable, rows: readonly TransferRow[]): Promise<void>
  /** Removes all rows of all tables but blobs and their digests. */
  clearRows(): Promise<void>
  /** Whether anybody keeps something here. */
  isEmpty(): Promise<boolean>
  hasHold(id: string): Promise<boolean>
  /**
   * Notes that an object is being written that no row has yet: it is deleted when none gets it within that time. Returns what was
   * noted about it before.
   */
  noteObject(object: NotedObject, within: number): Promise<NotedObject | undefined>
  /** Gives a blob that object, which was noted under `noted`. */
  putBlob(blob: { id: number; digest: Digest; row: TransferRow; key: string; noted: string }): Promise<void>
  /** Removes a blob that nothing refers to; its object is due. */
  dropBlob(id: number): Promise<void>
  /** What is new gets IDs after all that are there. Leases last so long from now. */
  endTransfer(lease: number): Promise<void>
}

const AT_ONCE = 50

export function transferMeta(database: SqlDatabase): TransferMeta {
  return {
    async readRows(table, { after, limit }) {
      const names = await columnsOf(database, table)
      if (names.length === 0) return []
      const key = keyOf(table)
      const where = after ? `WHERE (${key.join(', ')}) > (${key.map(() => '?').join(', ')})` : ''
      const rows = await database.all(
        `SELECT ${names.map(quoted).join(', ')} FROM ${table.name} ${where} ORDER BY ${key.join(', ')} LIMIT ?`,
        ...(after ? key.map((name) => after[name]!) : []),
        limit,
      )
      return rows.map(transferRow)
    },

    async readRow(table, row) {
      const key = keyOf(table)
      const found = await database.get(
        `SELECT * FROM ${table.name} WHERE ${matching(key)}`,
        ...key.map((name) => row[name]!),
      )
      return found && transferRow(found)
    },

    async putRows(table, rows) {
      await database.transaction(async (sql) => {
        for (let at = 0; at < rows.length; ) {
          // Two lengths, so that few statements are prepared.
          const count = rows.length - at >= AT_ONCE ? AT_ONCE : 1
          await putSome(sql, table, rows.slice(at, at + count))
          at += count
        }
      })
    },

    async removeRows(table, rows) {
      const key = keyOf(table)
      await database.transaction(async (sql) => {
        for (const row of rows) {
          await sql.run(`DELETE FROM ${table.name} WHERE ${matching(key)}`, ...key.map((name) => row[name]!))
        }
      })
    },

    async clearRows() {
      await database.transaction(async (sql) => {
        for (const { name } of MOVED.toReversed()) {
          if (name !== 'blobs' && name !== 'blob_digests') await sql.run(`DELETE FROM ${name}`)
        }
      })
    },

    async isEmpty() {
      const kept = MOVED.filter(({ name }) => name !== 'signing_keys')
      for (const { name } of kept) if (await database.get(`SELECT 1 FROM ${name} LIMIT 1`)) return false
      return true
    },

    async hasHold(id) {
      return (await database.get('SELECT 1 FROM holds WHERE id = ?', id)) !== undefined
    },

    async noteObject({ key, state }, within) {
      return await database.transaction(async (sql) => {
        const row = await sql.get(`SELECT state FROM gc_queue WHERE kind = 'object' AND key = ?`, key)
        await sql.run(`DELETE FROM gc_queue WHERE kind = 'object' AND key = ?`, key)
        await queueObject(sql, { key, state }, within)
        return row && { key, state: optionalText(row['state']) }
      })
    },

    async putBlob({ id, digest, row, key, noted }) {
      await database.transaction(async (sql) => {
        await putSome(sql, BLOBS, [{ ...row, storage_key: key }])
        await sql.run(
          'INSERT INTO blob_digests (digest, blob_id) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING',
          ...[digest, id],
        )
        await sql.run(`DELETE FROM gc_queue WHERE kind = 'object' AND key = ?`, noted)
      })
    },

    async dropBlob(id) {
      await database.transaction(async (sql) => {
        const row = await sql.get('SELECT storage_key FROM blobs WHERE id = ?', id)
        if (row) await queueObject(sql, { key: text(row['storage_key']) })
        await sql.run('DELETE FROM blob_digests WHERE blob_id = ?', id)
        await sql.run('DELETE FROM blobs WHERE id = ?', id)
      })
    },

    async endTransfer(lease) {
      // In pieces, of which none takes longer than a statement may.
      for (let after = 0, last = 0; ; after = last) {
        const page = await database.get(
          `SELECT max(id) AS last FROM (SELECT id FROM blobs WHERE id > ? ORDER BY id LIMIT ${PIECE}) AS page`,
          after,
        )
        if (page?.['last'] == null) break
        last = Number(page['last'])
        await database.transaction((sql) => leaseBlobs(sql, { after, last, lease }))
      }
      await database.transaction(async (sql) => {
        await sql.all('SELECT continue_ids()')
        await raiseGate(sql)
      })
    },
  }
}

const PIECE = 2000

/** The collector looks at them when their leases are over. */
async function leaseBlobs(
  sql: Sql,
  { after, last, lease }: { after: number; last: number; lease: number },
): Promise<void> {
  const leased = 'UPDATE repo_blobs SET lease_until = now_ms() + ? WHERE blob_id > ? AND blob_id <= ?'
  await sql.run(leased, lease, after, last)
  await sql.run(
    `INSERT INTO gc_queue (kind, key, review_after) SELECT 'blob', CAST(id AS TEXT), now_ms() + ? FROM blobs
     WHERE id > ? AND id <= ? ON CONFLICT (kind, key) DO NOTHING`,
    ...[lease + 1, after, last],
  )
}

const BLOBS = MOVED.find(({ name }) => name === 'blobs')!

export const keyOf = ({ key }: MovedTable): string[] => key.map((name) => name.replace('#', ''))

const matching = (key: readonly string[]) => key.map((name) => `${name} = ?`).join(' AND ')

/** `offset` is a word of SQL. */
const quoted = (name: string) => `"${name}"`

async function putSome(sql: Transaction, table: MovedTable, rows: readonly TransferRow[]): Promise<void> {
  const names = Object.keys(rows[0]!)
  const key = keyOf(table)
  const others = names.filter((name) => !key.includes(name))
  const change = others.map((name) => `${quoted(name)} = excluded.${quoted(name)}`).join(', ')
  const places = `(${names.map(() => '?').join(', ')})`
  await sql.run(
    `INSERT INTO ${table.name} (${names.map(quoted).join(', ')}) VALUES ${rows.map(() => places).join(', ')}
     ON CONFLICT (${key.join(', ')}) DO ${change === '' ? 'NOTHING' : `UPDATE SET ${change}`}`,
    ...rows.flatMap((row) => names.map((name) => row[name]!)),
  )
}

/** As the database has them: there is no list of columns that could be forgotten. None when there are no rows. */
async function columnsOf(sql: Sql, { name, large }: MovedTable): Promise<string[]> {
  const row = await sql.get(`SELECT * FROM ${name} LIMIT 1`)
  return Object.keys(row ?? {}).filter((column) => column !== large)
}

function transferRow(row: SqlRow): TransferRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (value === null || value instanceof Uint8Array) return [name, value]
      return [name, String(value)]
    }),
  )
}
