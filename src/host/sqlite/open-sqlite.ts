import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { keepToOwner } from './keep-to-owner.ts'
import { migrate } from './migrate.ts'
import type { Sqlite, SqliteOptions } from './sqlite.ts'
import { sqliteError } from './sqlite-error.ts'
import { useWal } from './use-wal.ts'

/**
 * Opens the file, making it when it is missing: write-ahead log, synchronous FULL, foreign keys, migrated to the newest
 * version. Throws STORE_VERSION when a newer bale wrote it, DENIED when `ownerOnly` and the file is another user's.
 */
export function openSqlite(options: SqliteOptions): Sqlite {
  if (options.ownerOnly) keepToOwner(options.path)
  const file = attempt(options, () => new DatabaseSync(options.path, { timeout: options.patience }))
  const sqlite = new SqliteFile(file, options)
  try {
    attempt(options, () => {
      useWal(file, options.patience)
      file.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
      if (options.untilExit) file.exec(`PRAGMA wal_autocheckpoint = ${SHORT_LOG}`)
      for (const [name, compute] of Object.entries(options.functions ?? {})) file.function(name, compute)
      migrate(file, sqlite, options)
    })
  } catch (error) {
    file.close()
    throw error
  }
  return sqlite
}

/** In pages of 4 KiB. A log that outlives processes stays short, since a process that opens the file alone reads all of it. */
const SHORT_LOG = 250

/** Keeps them from the garbage collector, which would close them. */
const left: DatabaseSync[] = []

function attempt<T>(options: SqliteOptions, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw sqliteError(error, options)
  }
}

class SqliteFile implements Sqlite {
  readonly #file: DatabaseSync
  readonly #options: SqliteOptions
  readonly #statements = new Map<string, StatementSync>()
  #depth = 0

  constructor(file: DatabaseSync, options: SqliteOptions) {
    this.#file = file
    this.#options = options
  }

  get inTransaction(): boolean {
    return this.#file.isTransaction
  }

  all<R>(sql: string, ...values: SQLInputValue[]): R[] {
    return this.#attempt(() => this.#prepare(sql).all(...values)).map((row) => ({ ...row })) as R[]
  }

  get<R>(sql: string, ...values: SQLInputValue[]): R | undefined {
    return this.#attempt(() => this.#prepare(sql).get(...values)) as R | undefined
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#attempt(() => Number(this.#prepare(sql).run(...values).changes))
  }

  transaction<T>(work: () => T): T {
    const inner = this.#begin()
    try {
      const result = work()
      this.#commit(inner)
      return result
    } catch (error) {
      this.#undo(inner)
      throw error
    } finally {
      this.#depth--
    }
  }

  async transactionLater<T>(work: () => Promise<T>, { unsynced = false }: { unsynced?: boolean } = {}): Promise<T> {
    if (unsynced && this.#depth === 0) {
      this.#synchronous('NORMAL')
      try {
        return await this.transactionLater(work)
      } finally {
        this.#synchronous('FULL')
      }
    }
    const inner = this.#begin()
    try {
      const result = await work()
      this.#commit(inner)
      return result
    } catch (error) {
      this.#undo(inner)
      throw error
    } finally {
      this.#depth--
    }
  }

  unsynced<T>(work: () => T): T {
    // Inside a transaction SQLite refuses the pragma.
    if (this.#depth > 0) return this.transaction(work)
    this.#synchronous('NORMAL')
    try {
      return this.transaction(work)
    } finally {
      this.#synchronous('FULL')
    }
  }

  [Symbol.dispose](): void {
    this.#statements.clear()
    if (this.#options.untilExit) left.push(this.#file)
    else if (this.#file.isOpen) this.#file.close()
  }

  #synchronous(how: 'NORMAL' | 'FULL'): void {
    this.#attempt(() => this.#file.exec(`PRAGMA synchronous = ${how}`))
  }

  /** True when it is within another transaction. */
  #begin(): boolean {
    const inner = this.#depth > 0
    this.#attempt(() => this.#file.exec(inner ? `SAVEPOINT level${this.#depth}` : 'BEGIN IMMEDIATE'))
    this.#depth++
    return inner
  }

  #commit(inner: boolean): void {
    this.#attempt(() => this.#file.exec(inner ? `RELEASE level${this.#depth - 1}` : 'COMMIT'))
  }

  #undo(inner: boolean): void {
    // A full disk makes SQLite roll back by itself.
    if (!this.#file.isTransaction) return
    const level = `level${this.#depth - 1}`
    this.#file.exec(inner ? `ROLLBACK TO ${level}; RELEASE ${level}` : 'ROLLBACK')
  }

  #attempt<T>(act: () => T): T {
    return attempt(this.#options, act)
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#file.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
