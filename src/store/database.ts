import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { BaleError } from '#base'
import { asNoSpace } from '#host/file'
import { MIGRATIONS, SCHEMA_VERSION } from './schema.ts'

/** A thin layer over node:sqlite: prepared statements by their text, transactions, errors in bale's words. */
export interface Database extends Disposable {
  all<R>(sql: string, ...values: SQLInputValue[]): R[]
  get<R>(sql: string, ...values: SQLInputValue[]): R | undefined
  /** Number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number
  /**
   * Runs `work` as one write transaction; a throw rolls back. Inside another one it is part of that. Synchronous, since
   * other processes wait meanwhile.
   */
  transaction<T>(work: () => T): T
}

/** Milliseconds that a statement waits for other processes. */
const PATIENCE = 60_000

/** Opens the database, making it when it is missing. Throws STORE_VERSION, STORE_DAMAGED. */
export function openDatabase(path: string): Database {
  const translate = (error: unknown) => inWords(error, path)
  const attempt = <T>(act: () => T): T => {
    try {
      return act()
    } catch (error) {
      throw translate(error)
    }
  }
  const sqlite = attempt(() => new DatabaseSync(path, { timeout: PATIENCE }))
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string) => {
    const known = statements.get(sql)
    if (known) return known
    const statement = sqlite.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  let inside = false
  const database: Database = {
    all: <R>(sql: string, ...values: SQLInputValue[]) =>
      attempt(
        () =>
          prepare(sql)
            .all(...values)
            .map((row) => ({ ...row })) as R[],
      ),
    get: <R>(sql: string, ...values: SQLInputValue[]) => attempt(() => prepare(sql).get(...values) as R | undefined),
    run: (sql, ...values) => attempt(() => Number(prepare(sql).run(...values).changes)),
    transaction(work) {
      if (inside) return work()
      attempt(() => sqlite.exec('BEGIN IMMEDIATE'))
      inside = true
      try {
        const result = work()
        attempt(() => sqlite.exec('COMMIT'))
        return result
      } catch (error) {
        // A full disk makes SQLite roll back by itself.
        if (sqlite.isTransaction) sqlite.exec('ROLLBACK')
        throw error
      } finally {
        inside = false
      }
    },
    [Symbol.dispose]() {
      statements.clear()
      if (sqlite.isOpen) sqlite.close()
    },
  }
  try {
    attempt(() => useWal(sqlite))
    attempt(() => sqlite.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON'))
    migrate(sqlite, database, path)
  } catch (error) {
    sqlite.close()
    throw error
  }
  return database
}

const BUSY = 5

/** Switching to WAL needs the database alone and does not wait by itself; it happens once in a store's life. */
function useWal(sqlite: DatabaseSync): void {
  const end = performance.now() + PATIENCE
  for (;;) {
    const { journal_mode: mode } = sqlite.prepare('PRAGMA journal_mode').get() as { journal_mode: string }
    if (mode === 'wal') return
    try {
      sqlite.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== BUSY || performance.now() > end) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

function migrate(sqlite: DatabaseSync, database: Database, path: string): void {
  const version = () => (sqlite.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
  const found = version()
  if (found > SCHEMA_VERSION) {
    throw new BaleError('STORE_VERSION', `the store ${path} has version ${found}, this bale knows ${SCHEMA_VERSION}`, {
      hint: 'use the newer bale that wrote it, or another --root',
      details: { found, known: SCHEMA_VERSION },
    })
  }
  if (found === SCHEMA_VERSION) return
  database.transaction(() => {
    // Another process may have been first.
    for (let step = version(); step < SCHEMA_VERSION; step++) {
      sqlite.exec(MIGRATIONS[step]!)
      sqlite.exec(`PRAGMA user_version = ${step + 1}`)
    }
  })
}

const SQLITE = { BUSY, LOCKED: 6, READONLY: 8, IOERR: 10, CORRUPT: 11, CANTOPEN: 14, NOTADB: 26 } as const

function inWords(error: unknown, path: string): unknown {
  const full = (error as { errcode?: unknown } | undefined)?.errcode
  if (typeof full !== 'number') return error
  const code = full & 0xff
  if (code === SQLITE.BUSY || code === SQLITE.LOCKED) {
    return new BaleError('LOCKED', `another process keeps the store ${path} busy`, { cause: error })
  }
  if (code === SQLITE.CORRUPT || code === SQLITE.NOTADB) {
    return new BaleError('STORE_DAMAGED', `the database ${path} is damaged`, { cause: error })
  }
  if (code === SQLITE.CANTOPEN || code === SQLITE.READONLY) {
    return new BaleError('UNSUPPORTED_HOST', `the database ${path} cannot be opened for writing`, {
      hint: 'check who owns the store, or use another --root',
      cause: error,
    })
  }
  return asNoSpace(error, path)
}
