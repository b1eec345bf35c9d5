import { accessTokenMeta } from './access-tokens.ts'
import { accountMeta } from './accounts.ts'
import { acmeMeta } from './acme.ts'
import { auditMeta, type By, OPERATOR } from './audit.ts'
import { cachedContentMeta } from './cached-content.ts'
import { collectorMeta } from './collector.ts'
import { contentMeta } from './content.ts'
import { coordinationMeta } from './coordination.ts'
import { deviceLoginMeta } from './device-logins.ts'
import { directoryMeta } from './directory-accounts.ts'
import { gateMeta } from './gates.ts'
import { groupMeta } from './groups.ts'
import { hookDeliveryMeta } from './hook-deliveries.ts'
import { hookMeta } from './hooks.ts'
import { signingKeyMeta } from './key-rows.ts'
import type { MetaStore } from './meta-store.ts'
import { promotionMeta } from './promotion.ts'
import { quotaMeta } from './quotas.ts'
import { refreshTokenMeta } from './refresh-tokens.ts'
import { renameMeta } from './renames.ts'
import { replicationMeta } from './replication.ts'
import { requestCountMeta } from './request-counts.ts'
import { retentionMeta } from './retention.ts'
import { scanMeta } from './scans.ts'
import { sessionMeta } from './sessions.ts'
import type { SqlDatabase } from './sql.ts'
import { tagHistoryMeta } from './tag-history.ts'
import { tagPolicyMeta } from './tag-policies.ts'
import { transferMeta } from './transfer.ts'
import { uploadMeta } from './uploads.ts'
import { usageMeta } from './usage.ts'

/** What the registry knows, in a database that has its tables. */
export function createMeta(database: SqlDatabase, by: By = OPERATOR): MetaStore {
  return {
    ...contentMeta(database, by),
    ...uploadMeta(database),
    ...collectorMeta(database),
    ...accountMeta(database, by),
    ...groupMeta(database, by),
    ...accessTokenMeta(database, by),
    ...refreshTokenMeta(database, by),
    ...sessionMeta(database, by),
    ...deviceLoginMeta(database, by),
    ...directoryMeta(database, by),
    ...signingKeyMeta(database),
    ...coordinationMeta(database),
    ...requestCountMeta(database),
    ...auditMeta(database, by),
    as: (actor) => createMeta(database, actor),
    ...tagPolicyMeta(database, by),
    ...tagHistoryMeta(database, by),
    ...retentionMeta(database),
    ...promotionMeta(database, by),
    ...renameMeta(database, by),
    ...usageMeta(database),
    ...quotaMeta(database, by),
    ...cachedContentMeta(database),
    ...hookMeta(database, by),
    ...hookDeliveryMeta(database, by),
    ...replicationMeta(database, by),
    ...scanMeta(database, by),
    ...gateMeta(database, by),
    ...acmeMeta(database, by),
    ...transferMeta(database),
    close: () => database.close(),
  }
}
