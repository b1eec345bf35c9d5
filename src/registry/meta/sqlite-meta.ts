import type { Clock } from '#base'
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
    ...sqliteUploads(database),
    ...sqliteCollector(database),
    ...sqliteAccounts(database, clock),
    close: async () => database[Symbol.dispose](),
  }
}
