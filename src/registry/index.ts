/**
 * registry: an OCI distribution server: embedded (one process, SQLite for what is known, files for bytes) or scaled out (any
 * number of processes on PostgreSQL and a bucket or a shared directory).
 * Promises: all end points of distribution-spec 1.1; an acknowledged push survives power loss; access is denied by default;
 * collection runs alongside pushes. Does not: run containers, know the local store.
 */
export type { AcmeOptions, ObtainedCertificate } from './acme/index.ts'
export {
  type Administration,
  type ApiConnection,
  type ApiSchema,
  apiDocument,
  type CollectionRequest,
  type CollectionResult,
  type DescribedOperation,
  type OpenApi,
  openRemoteAdmin,
  type RemoteAdmin,
  type Self,
} from './api/index.ts'
export type {
  AccessTokenOptions,
  AccessTokens,
  Accounts,
  AuditLog,
  Group,
  Identity,
  LoginSource,
  Organisations,
  Robot,
  Robots,
  SessionSettings,
  User,
  Users,
  Visibility,
} from './auth/index.ts'
export type { BackedUp, BackupOptions } from './backup.ts'
export type { TlsByAuthority } from './certified-tls.ts'
export type { Checked, CheckOptions, Damage } from './check.ts'
export type { Collected, CollectOptions } from './collect.ts'
export {
  type CollectionConfiguration,
  type Configuration,
  type ConfigurationSchema,
  type Credentials,
  configurationFrom,
  configurationSchema,
  type EmbeddedContent,
  type HookConfiguration,
  type LdapConfiguration,
  type ListenConfiguration,
  type LoginConfiguration,
  loadCredentials,
  loadTls,
  type NamedFile,
  type OidcConfiguration,
  type PostgresConfiguration,
  parseListenAddress,
  type ReplicationConfiguration,
  readConfiguration,
  type S3Configuration,
  type ScaledOutContent,
  type SecretSource,
  type SharedDirectory,
  type TlsCredentials,
  type TlsFiles,
  type TlsOfAuthority,
  type TracingConfiguration,
  type UpstreamConfiguration,
  type WorkloadConfiguration,
} from './configuration/index.ts'
export { openConfiguredAdmin, type ServedConfiguration, type Surroundings } from './configured.ts'
export type {
  AnonymousAccess,
  BaseImages,
  ContentTypes,
  GateAct,
  Grant,
  ImmutableTags,
  KeptTags,
  ReleaseGate,
  Role,
  TagPolicy,
  Usage,
} from './decide/index.ts'
export { createRegistry, type EmbeddedAdmin, openRegistryAdmin, type RegistryOptions } from './embedded.ts'
export type { DeliveryPage, HookSettings, Hooks, NewHook, Tried } from './hooks/index.ts'
export type { Imported, ImportOptions, Tally } from './import/index.ts'
export {
  createLdapSource,
  type GroupRule,
  type LdapOptions,
  type ProviderOptions,
  type WorkloadRule,
} from './login/index.ts'
export {
  type AccessToken,
  type AuditEntry,
  type AuditFilter,
  type Delivery,
  type DeliveryState,
  type Hook,
  type ImageState,
  type KeptLogin,
  type Member,
  type MemberRole,
  type MetaStore,
  openPostgresMeta,
  openSqliteMeta,
  type PostgresOptions,
  type Promoted,
  type Redirect,
  type ReplicationItem,
  type ReplicationRule,
  type ReplicationState,
  type ReplicationStatus,
  type ReplicationTask,
  type StoredException,
  type TagChange,
  type UnkeptTag,
} from './meta/index.ts'
export type { Moved, MoveOptions } from './move/index.ts'
export { moveEmbedded, takeChangesAgain } from './move-embedded.ts'
export {
  type ByteRange,
  createFileObjects,
  createS3Objects,
  type ObjectAppender,
  type ObjectStore,
  type Presigner,
  type Progress,
  type ReadOptions,
  type RecordProgress,
  type S3Objects,
  type S3Options,
  type S3Timeouts,
} from './objects/index.ts'
export type {
  EndedRequest,
  Observe,
  OperationOptions,
  RegistryEvent,
  RequestSpan,
  SpanSenderOptions,
  Tracer,
  TracingOptions,
} from './operation/index.ts'
export type {
  Exceptions,
  GateRule,
  ImageReport,
  Images,
  NewException,
  Policies,
  PromoteOptions,
  Promotion,
  Promotions,
  Quotas,
  QuotaUse,
  Renames,
  ReplicationFilter,
  Replications,
  Scans,
  Tags,
} from './policies/index.ts'
export type { RequestLimit } from './rates/index.ts'
export {
  type AdminParts,
  openRegistry,
  type Registry,
  type RegistryAdmin,
  type RegistryParts,
  type RegistrySettings,
} from './registry.ts'
export type { ReplicationSettings } from './replication/index.ts'
export type { ScanningSettings } from './scan/index.ts'
export { type ListenOptions, listenWith, type ServedRegistry, type TlsSource } from './serve.ts'
export { serveConfigured } from './serve-configured.ts'
export { type ServeOptions, serveRegistry } from './serve-watched.ts'
export type { TlsTexts } from './tls.ts'
export type { UpstreamSettings } from './upstream/index.ts'
