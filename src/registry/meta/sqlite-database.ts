import { realpathSync } from 'node:fs'
import type { Clock } from '#base'
import { openSqlite, type Sqlite } from '#host/sqlite'
import type { Sql, SqlDatabase, SqlRow } from './sql.ts'
import { MIGRATIONS } from './sqlite-schema.ts'
import { WriteQueue } from './write-queue.ts'

/** Milliseconds that a statement waits for other processes: the server, and `user add` beside it. */
const PATIENCE = 10_000

/** Opens the registry's file. It holds password hashes and the key that signs tokens: it is for its owner alone. */
export function openRegistryFile(path: string, clock: Clock): Sqlite {
  // SQLite goes on after the highest ID by itself.
  const functions = { now_ms: () => clock.now(), continue_ids: () => null }
  return openSqlite({ path, what: 'registry', migrations: MIGRATIONS, patience: PATIENCE, ownerOnly: true, functions })
}

/**
 * The registry's file as a database. Readers have an opening of their own: while a transaction's promises go on, they see
 * what was there before it.
 */
export function openSqliteDatabase(path: string, clock: Clock): SqlDatabase {
  const writing = openRegistryFile(path, clock)
  const reading = openRegistryFile(path, clock)
  const within = { ...sqlOf(writing), lock: () => '' }
  const queue = queueOf(realpathSync(path))
  return {
    ...sqlOf(reading),
    run: (sql, ...values) => queue.add(writing, () => within.run(sql, ...values), true),
    transaction: (work, { durable = true } = {}) => queue.add(writing, () => work(within), durable),
    // Of an opening that changes nothing itself. Source: sqlite.org, "PRAGMA data_version".
    version: () => reading.get<{ data_version: number }>('PRAGMA data_version')!.data_version,
    async close() {
      await queue.end()
      reading[Symbol.dispose]()
      writing[Symbol.dispose]()
    },
  }
}

/**
 * The transactions of all openings of a file in this process: SQLite waits for a lock without giving the promises of the one
 * that has it a chance to go on.
 */
function queueOf(path: string): WriteQueue {
  const queue = queues.get(path) ?? new WriteQueue(() => queues.delete(path))
  queues.set(path, queue)
  queue.openings++
  return queue
}

const queues = new Map<string, WriteQueue>()

function sqlOf(file: Sqlite): Sql {
  return {
    all: async (sql, ...values) => file.all<SqlRow>(sql, ...values),
    get: async (sql, ...values) => file.get<SqlRow>(sql, ...values),
    run: async (sql, ...values) => file.run(sql, ...values),
  }
}
