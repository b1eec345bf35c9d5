/** registry/meta: what the registry knows. Promises: each method is one transaction. Does not: touch bytes or HTTP. */
export type {
  AccessToken,
  Account,
  AccountKind,
  AccountPage,
  Member,
  MemberRole,
  NewAccessToken,
} from './account-meta.ts'
export type { AuditEntry, AuditFilter } from './audit.ts'
export { ACCOUNT_ACTIONS, REPOSITORY_ACTIONS } from './change-action.ts'
export type { DeviceLogin, DevicePoll } from './device-logins.ts'
export { repositoryMoved } from './former-names.ts'
export { holdObjects } from './hold-objects.ts'
export type { AttemptResult, Delivery, DeliveryState, TakenDelivery } from './hook-deliveries.ts'
export type { Hook } from './hooks.ts'
export { inTurn } from './in-turn.ts'
export type {
  CachedManifest,
  ListedBlob,
  ManifestObjection,
  MetaStore,
  NewManifest,
  Page,
  StoredBlob,
  Upload,
} from './meta-store.ts'
export { openPostgresMeta, type PostgresOptions } from './postgres-meta.ts'
export type { Promoted } from './promotion-meta.ts'
export { isReferrerTag, type ReplicationItem } from './queue-replication.ts'
export type { KeptLogin } from './refresh-tokens.ts'
export type { Redirect } from './renames.ts'
export type {
  ReplicationResult,
  ReplicationRule,
  ReplicationState,
  ReplicationStatus,
  ReplicationTask,
  TakenReplication,
} from './replication-meta.ts'
export type { RequestCount } from './request-counts.ts'
export type { UnkeptTag } from './retention.ts'
export type {
  ImageState,
  ScanEnd,
  ScanStatus,
  StoredException,
  StoredReleaseFacts,
  TakenScan,
  Unmatched,
} from './scan-meta.ts'
export { copySqliteMeta, freezeSqliteMeta, openSqliteMeta, thawSqliteMeta } from './sqlite-meta.ts'
export type { TagChange } from './tag-history.ts'
export { keyOf, type TransferRow } from './transfer.ts'
export { MOVED, type MovedTable } from './transfer-tables.ts'
