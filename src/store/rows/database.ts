import { openSqlite, type Sqlite } from '#host/sqlite'
import { MIGRATIONS } from './schema.ts'

/** The store's tables (schema.ts). */
export type Database = Sqlite

/** Milliseconds that a statement waits for other processes. */
const PATIENCE = 60_000

/** Opens the database, making it when it is missing. Throws STORE_VERSION, STORE_DAMAGED. */
export function openDatabase(path: string, { untilExit }: { untilExit?: boolean } = {}): Database {
  return openSqlite({ path, what: 'store', migrations: MIGRATIONS, patience: PATIENCE, untilExit })
}
