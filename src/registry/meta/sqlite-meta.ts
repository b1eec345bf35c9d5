import type { Clock } from '#base'
import { copyDatabase } from './copy-database.ts'
import { openDatabase } from './database.ts'
import type { MetaStore } from './meta-store.ts'
import { sqliteAccounts } from './sqlite-accounts.ts'
import { sqliteCollector } from './sqlite-collector.ts'
import { sqliteContent } from './sqlite-content.ts'
import { sqliteUploads } from './sqlite-uploads.ts'

/** Opens (and makes, when new) the metadata of an embedded registry: one SQLite file. */
export function openSqliteMeta({ path, clock }: { path: string; clock: Clock }): MetaStore {
  const database = openDatabase(path)
  return {
    ...sqliteContent(database, clock),
    ...sqliteUploads(database, clock),
    ...sqliteCollector(database),
    ...sqliteAccounts(database, clock),
    copyTo: async (path) => copyDatabase(database, path),
    close: async () => database[Symbol.dispose](),
  }
}
