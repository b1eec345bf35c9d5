import type { AnonymousAccess } from '../decide/index.ts'
import type { LeastRate } from '../http/index.ts'
import type { GroupRule, ProviderOptions } from '../login/index.ts'
import type { RequestLimit } from '../rates/index.ts'

/** What a registry's configuration file says, with defaults in place. Frozen. Times are in milliseconds, sizes in bytes. */
export interface Configuration {
  /** Where the registry listens, and what clients call it. */
  listen: ListenConfiguration
  content: EmbeddedContent | ScaledOutContent
  /** What callers without a login may do. */
  anonymous: AnonymousAccess
  login: LoginConfiguration
  uploads: {
    /** How long a blob that nothing refers to yet is kept for its pusher. */
    lease: number
    /** The least that a client must send of a body. */
    leastRate: LeastRate
  }
  collection: CollectionConfiguration
  /** Registries that repositories below a prefix come from. */
  upstreams: readonly UpstreamConfiguration[]
  /** The prefix of the upstream that clients of a mirror mean. */
  mirror?: string
  hooks: HookConfiguration
  /** Images that follow rules to other registries, or from them. */
  replication: readonly ReplicationConfiguration[]
  /** Images are not scanned when it is undefined. */
  scanning?: ScanningConfiguration
  limits: {
    /** How many requests callers may make. */
    requests: readonly RequestLimit[]
  }
  log: {
    /** Where a line is written for each request; nowhere by default. */
    requests?: 'stdout' | { path: string }
  }
  /** Where metrics are served; nowhere by default. */
  metrics?: { host: string; port: number }
  tracing?: TracingConfiguration
}

/** Where traces of requests are sent. */
export interface TracingConfiguration {
  /** URL of a collector, to which `/v1/traces` is added. */
  endpoint: string
  /** From 0 to 1. */
  sample: number
  /** Headers of every request to it, a line for each. */
  headersFile?: NamedFile
}

/** Address, certificate and limits of a registry. */
export interface ListenConfiguration {
  host: string
  /** 0 takes a free one. */
  port: number
  tls?: TlsFiles | TlsOfAuthority
  /** Plain HTTP on an address that other machines reach. */
  insecure: boolean
  maxConnections: number
  /** Processes that answer requests. */
  workers: number
  externalUrl?: string
  trustedProxies: readonly string[]
}

/** Files in PEM. */
export interface TlsFiles {
  certificate: NamedFile
  key: NamedFile
  /** Clients need a certificate of one of these. */
  clientAuthorities?: NamedFile
}

/** A certificate that an authority gives by ACME. */
export interface TlsOfAuthority {
  acme: {
    /** URL of the authority's directory. */
    directory: string
    names: readonly string[]
    contact?: string
    externalAccount?: { keyId: string; key: SecretSource }
    /** PEM: of whom the directory's certificate may be, besides the machine's authorities. */
    ca?: NamedFile
    /** Where the authority's requests to port 80 arrive (http-01); undefined for tls-alpn-01. */
    challengeAddress?: { host: string; port: number }
  }
  /** Clients need a certificate of one of these. */
  clientAuthorities?: NamedFile
}

/** A registry of one process, which has everything in a directory. */
export interface EmbeddedContent {
  kind: 'embedded'
  directory: string
  minFreePercent: number
}

/** A registry of any number of replicas. */
export interface ScaledOutContent {
  kind: 'scaled-out'
  postgres: PostgresConfiguration
  objects: S3Configuration | SharedDirectory
  /** Seals the keys that sign tokens. */
  secret: SecretSource
}

/** The database of a scaled-out registry. */
export interface PostgresConfiguration {
  /** `postgres://user@host:port/database`, of one or several hosts; without a password. */
  url: string
  password?: SecretSource
  /** PEM. */
  ca?: NamedFile
  /** Connections at once. */
  connections: number
}

/** A bucket that has the bytes of a scaled-out registry. */
export interface S3Configuration {
  kind: 's3'
  /** Scheme and host. */
  endpoint: string
  region: string
  bucket: string
  /** What all keys begin with; may be empty. */
  prefix: string
  pathStyle: boolean
  accessKey: SecretSource
  secretKey: SecretSource
  partSize: number
  encryption?: 'AES256' | { kms: string }
  /** Clients get blobs from the store itself. */
  redirect: boolean
}

/** A directory of a network's file system, which all replicas see. */
export interface SharedDirectory {
  kind: 'directory'
  directory: string
  minFreePercent: number
}

/** Who logs in beyond users with a password of the registry. */
export interface LoginConfiguration {
  /** When the tokens end that clients keep in place of passwords; 0: there are none. */
  refreshTokensUnusedFor: number
  /** When people are logged out of browsers; `unusedFor` 0: nobody logs in with one. */
  sessions: { unusedFor: number; lifetime: number }
  /** Whoever shows it makes the first administrator. */
  bootstrapToken?: SecretSource
  oidc?: OidcConfiguration
  ldap?: LdapConfiguration
  /** The first that fits counts. */
  workloads: readonly WorkloadConfiguration[]
}

/** A directory of people. */
export interface LdapConfiguration {
  url: string
  startTls: boolean
  /** PEM. */
  ca?: NamedFile
  bind?: { dn: string; password: SecretSource }
  users: { base: string; filter: string; id?: string }
  groups?: { base: string; filter: string; rules: readonly GroupRule[] }
  timeout: number
  rememberFor: number
}

/** A provider of OpenID Connect. */
export interface OidcConfiguration extends Omit<ProviderOptions, 'clientSecret' | 'ca'> {
  clientSecret?: SecretSource
  /** PEM. */
  ca?: NamedFile
}

/** A job of a CI service that logs in as a robot. */
export interface WorkloadConfiguration {
  issuer: string
  audience: string
  when: Readonly<Record<string, string>>
  as: string
  lifetime: number
  /** PEM. */
  ca?: NamedFile
}

/** When unreferenced content is collected, and what besides it. */
export interface CollectionConfiguration {
  every: number
  grace: number
  uploadsOlderThan: number
  /** Untagged manifests are kept when it is undefined. */
  untaggedOlderThan?: number
  restorableFor: number
  auditFor: number
  deliveriesFor: number
}

/** How hooks are told. */
export interface HookConfiguration {
  /** Addresses and ranges that may be connected to besides public ones. */
  allowAddresses: readonly string[]
  retryFor: number
}

/** A registry that repositories come from. */
export interface UpstreamConfiguration {
  prefix: string
  /** Scheme and host. */
  url: string
  login?: { username: string; password: SecretSource }
  /** Host of its token service. */
  tokenService?: string
  namespaces?: readonly string[]
  tagsFreshFor: number
  serveStaleFor: number
  /** What nobody pulls is kept when it is undefined. */
  cacheFor?: number
  allow?: readonly string[]
  insecure: boolean
  /** PEM. */
  ca?: NamedFile
}

/** A rule by which images are replicated. */
export interface ReplicationConfiguration {
  name: string
  direction: 'push' | 'pull'
  /** Scheme and host. */
  url: string
  login?: { username: string; password: SecretSource }
  /** Host of its token service. */
  tokenService?: string
  insecure: boolean
  /** PEM. */
  ca?: NamedFile
  repositories: readonly string[]
  tags: readonly string[]
  stripPrefix?: string
  toPrefix?: string
  onPush: boolean
  every?: number
  referrers: boolean
  deletes: boolean
}

/** How images are scanned. */
interface ScanningConfiguration {
  /** Scans at the same time. */
  workers: number
  memory: number
  timeout: number
  /** Path of a bundle of advisories. */
  advisories?: string
}

/** A file that the configuration names. */
export interface NamedFile {
  /** Absolute. */
  path: string
  /** Where it is named, for messages: `registry.yaml:3:10: listen.tls.key`. */
  at: string
}

/** Where a secret is: in a file, or in an environment variable. */
export type SecretSource = NamedFile | { variable: string; at: string }
