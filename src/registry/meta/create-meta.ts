import { accessTokenMeta } from './access-tokens.ts'
import { accountMeta } from './accounts.ts'
import { collectorMeta } from './collector.ts'
import { contentMeta } from './content.ts'
import { coordinationMeta } from './coordination.ts'
import { groupMeta } from './groups.ts'
import { signingKeyMeta } from './key-rows.ts'
import type { MetaStore } from './meta-store.ts'
import type { SqlDatabase } from './sql.ts'
import { uploadMeta } from './uploads.ts'

/** What the registry knows, in a database that has its tables. */
export function createMeta(database: SqlDatabase): MetaStore {
  return {
    ...contentMeta(database),
    ...uploadMeta(database),
    ...collectorMeta(database),
    ...accountMeta(database),
    ...groupMeta(database),
    ...accessTokenMeta(database),
    ...signingKeyMeta(database),
    ...coordinationMeta(database),
    close: () => database.close(),
  }
}
