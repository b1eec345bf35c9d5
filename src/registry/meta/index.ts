/** registry/meta: what the registry knows. Promises: each method is one transaction. Does not: touch bytes or HTTP. */
export {
  type AccessToken,
  type Account,
  type AccountKind,
  type Grant,
  type Member,
  type MemberRole,
  ROLES,
  type Role,
} from './account-meta.ts'
export type { AuditEntry, AuditFilter } from './audit.ts'
export { holdObjects } from './hold-objects.ts'
export type {
  ListedBlob,
  ManifestObjection,
  MetaStore,
  NewManifest,
  Page,
  StoredBlob,
  StoredKey,
  Upload,
} from './meta-store.ts'
export { checkPattern, matchesPattern } from './pattern.ts'
export { openPostgresMeta, type PostgresOptions } from './postgres-meta.ts'
export type { UnkeptTag } from './retention.ts'
export { copySqliteMeta, freezeSqliteMeta, openSqliteMeta, thawSqliteMeta } from './sqlite-meta.ts'
export type { TagChange } from './tag-history.ts'
export type { ImmutableTags, KeptTags, TagPolicy } from './tag-policies.ts'
export { keyOf, type TransferRow } from './transfer.ts'
export { MOVED, type MovedTable } from './transfer-tables.ts'
