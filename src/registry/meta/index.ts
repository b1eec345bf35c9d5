/** registry/meta: what the registry knows. Promises: each method is one transaction. Does not: touch bytes or HTTP. */
export type { Account, ManifestObjection, MetaStore, NewManifest, Page, Role, Upload } from './meta-store.ts'
export { openSqliteMeta } from './sqlite-meta.ts'
