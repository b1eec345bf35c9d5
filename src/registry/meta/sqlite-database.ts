import { realpathSync } from 'node:fs'
import type { Clock } from '#base'
import { openSqlite, type Sqlite } from '#host/sqlite'
import type { Sql, SqlDatabase, SqlRow } from './sql.ts'
import { MIGRATIONS } from './sqlite-schema.ts'

/** Milliseconds that a statement waits for other processes: the server, and `user add` beside it. */
const PATIENCE = 10_000

/** Opens the registry's file. It holds password hashes and the key that signs tokens: it is for its owner alone. */
export function openRegistryFile(path: string, clock: Clock): Sqlite {
  const functions = { now_ms: () => clock.now() }
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
  const turns = takeTurns(realpathSync(path))
  return {
    ...sqlOf(reading),
    run: (sql, ...values) => turns.run(() => within.run(sql, ...values)),
    transaction: (work, { durable = true } = {}) =>
      turns.run(() => writing.transactionLater(() => work(within), { unsynced: !durable })),
    async close() {
      await turns.end()
      reading[Symbol.dispose]()
      writing[Symbol.dispose]()
    },
  }
}

/**
 * One transaction after another, of all openings of a file in this process: SQLite waits for a lock without giving the
 * promises of the one that has it a chance to go on.
 */
function takeTurns(path: string) {
  const file = files.get(path) ?? { last: Promise.resolve(), openings: 0 }
  files.set(path, file)
  file.openings++
  return {
    run<T>(work: () => Promise<T>): Promise<T> {
      const mine = file.last.then(work, work)
      file.last = mine.catch(() => undefined)
      return mine
    },
    /** Waits for those that have begun. */
    async end(): Promise<void> {
      await file.last
      if (--file.openings === 0) files.delete(path)
    },
  }
}

const files = new Map<string, { last: Promise<unknown>; openings: number }>()

function sqlOf(file: Sqlite): Sql {
  return {
    all: async (sql, ...values) => file.all<SqlRow>(sql, ...values),
    get: async (sql, ...values) => file.get<SqlRow>(sql, ...values),
    run: async (sql, ...values) => file.run(sql, ...values),
  }
}
