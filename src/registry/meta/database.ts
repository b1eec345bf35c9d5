import { openSqlite, type Sqlite, type SqliteRow, type SqliteValue } from '#host/sqlite'
import { MIGRATIONS } from './schema.ts'

/** The registry's tables (schema.ts). */
export type Database = Sqlite
export type Row = SqliteRow

/** Milliseconds that a statement waits for other processes: the server, and `user add` beside it. */
const PATIENCE = 10_000

/** Opens the registry's file. It holds password hashes and the key that signs tokens: it is for its owner alone. */
export function openDatabase(path: string): Database {
  return openSqlite({ path, what: 'registry', migrations: MIGRATIONS, patience: PATIENCE, ownerOnly: true })
}

export const text = (value: SqliteValue | undefined): string => String(value)
export const optionalText = (value: SqliteValue | undefined): string | undefined =>
  value === null || value === undefined ? undefined : String(value)
