import { accessTokenMeta } from './access-tokens.ts'
import { accountMeta } from './accounts.ts'
import { auditMeta, type By, OPERATOR } from './audit.ts'
import { collectorMeta } from './collector.ts'
import { contentMeta } from './content.ts'
import { coordinationMeta } from './coordination.ts'
import { groupMeta } from './groups.ts'
import { signingKeyMeta } from './key-rows.ts'
import type { MetaStore } from './meta-store.ts'
import { retentionMeta } from './retention.ts'
import type { SqlDatabase } from './sql.ts'
import { tagHistoryMeta } from './tag-history.ts'
import { tagPolicyMeta } from './tag-policies.ts'
import { transferMeta } from './transfer.ts'
import { uploadMeta } from './uploads.ts'

/** What the registry knows, in a database that has its tables. */
export function createMeta(database: SqlDatabase, by: By = OPERATOR): MetaStore {
  return {
    ...contentMeta(database, by),
    ...uploadMeta(database),
    ...collectorMeta(database),
    ...accountMeta(database, by),
    ...groupMeta(database, by),
    ...accessTokenMeta(database, by),
    ...signingKeyMeta(database),
    ...coordinationMeta(database),
    ...auditMeta(database),
    as: (actor) => createMeta(database, actor),
    ...tagPolicyMeta(database, by),
    ...tagHistoryMeta(database),
    ...retentionMeta(database),
    ...transferMeta(database),
    close: () => database.close(),
  }
}
