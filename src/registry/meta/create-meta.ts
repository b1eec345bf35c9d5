import { accountMeta } from './accounts.ts'
import { collectorMeta } from './collector.ts'
import { contentMeta } from './content.ts'
import { coordinationMeta } from './coordination.ts'
import type { MetaStore } from './meta-store.ts'
import { retentionMeta } from './retention.ts'
import type { SqlDatabase } from './sql.ts'
import { tagHistoryMeta } from './tag-history.ts'
import { tagPolicyMeta } from './tag-policies.ts'
import { uploadMeta } from './uploads.ts'

/** What the registry knows, in a database that has its tables. */
export function createMeta(database: SqlDatabase): MetaStore {
  return {
    ...contentMeta(database),
    ...uploadMeta(database),
    ...collectorMeta(database),
    ...accountMeta(database),
    ...coordinationMeta(database),
    ...tagPolicyMeta(database),
    ...tagHistoryMeta(database),
    ...retentionMeta(database),
    close: () => database.close(),
  }
}
