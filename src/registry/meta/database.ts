import { chmodSync, closeSync, constants, existsSync, fchmodSync, fstatSync, openSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { BaleError } from '#base'
import { asNoSpace } from '#host/file'
import { SCHEMA, SCHEMA_VERSION } from './schema.ts'

export type Value = string | number | bigint | null | Uint8Array
export type Row = Record<string, Value>

/**
 * The registry's SQLite file: write-ahead log, and synchronous FULL so that an answered push survives power loss.
 * Several processes may open it (the server, and `user add` beside it); a writer waits for another up to ten seconds.
 */
export class Database {
  readonly #sqlite: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(path: string) {
    keepToOwner(path)
    this.#sqlite = new DatabaseSync(path)
    this.#sqlite.exec('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    this.#sqlite.exec('PRAGMA foreign_keys = ON')
    this.#migrate(path)
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[]
  }

  /** Rows one by one; no other statement may run with the same text meanwhile. */
  iterate(sql: string, ...values: Value[]): Iterable<Row> {
    return this.#prepare(sql).iterate(...values) as Iterable<Row>
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined
  }

  /** Number of rows that the statement changed. */
  run(sql: string, ...values: Value[]): number {
    try {
      return Number(this.#prepare(sql).run(...values).changes)
    } catch (error) {
      throw asNoSpace(error, 'the registry database')
    }
  }

  /** Runs `work` in one transaction that no other writer can interleave with; a throw undoes all of it. */
  transaction<T>(work: () => T): T {
    this.#sqlite.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#sqlite.exec('COMMIT')
      return result
    } catch (error) {
      if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK')
      throw asNoSpace(error, 'the registry database')
    }
  }

  close(): void {
    if (this.#sqlite.isOpen) this.#sqlite.close()
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#sqlite.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #migrate(path: string): void {
    this.transaction(() => {
      const version = Number(this.get('PRAGMA user_version')?.['user_version'])
      if (version > SCHEMA_VERSION) {
        throw new BaleError('STORE_VERSION', `the registry in ${path} was written by a newer bale`, {
          hint: 'use that version of bale, or another --root',
        })
      }
      if (version === 0) this.#sqlite.exec(SCHEMA)
    })
  }
}

/**
 * Password hashes and the key that signs tokens are for the owner alone from the file's first byte on, whatever directory
 * it lies in: SQLite makes its file readable by all, and gives -wal and -shm the mode of the file.
 */
function keepToOwner(path: string): void {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    const { uid, mode } = fstatSync(fd)
    const self = process.geteuid?.() ?? uid
    if (uid !== self) throw new BaleError('DENIED', `${path} belongs to another user (${uid})`)
    if (mode & 0o077) fchmodSync(fd, 0o600)
  } finally {
    closeSync(fd)
  }
  for (const beside of [`${path}-wal`, `${path}-shm`]) if (existsSync(beside)) chmodSync(beside, 0o600)
}

export const text = (value: Value | undefined): string => String(value)
export const optionalText = (value: Value | undefined): string | undefined =>
  value === null || value === undefined ? undefined : String(value)
