/**
 * registry/configuration: the file that describes a registry. Promises: all mistakes at once, each with its place and what
 * is expected; no secret in a message. Does not: start anything, look at the files that it names before it is asked to.
 */
export type {
  CollectionConfiguration,
  Configuration,
  EmbeddedContent,
  HookConfiguration,
  LdapConfiguration,
  ListenConfiguration,
  LoginConfiguration,
  NamedFile,
  OidcConfiguration,
  PostgresConfiguration,
  ReplicationConfiguration,
  S3Configuration,
  ScaledOutContent,
  SecretSource,
  SharedDirectory,
  TlsFiles,
  TlsOfAuthority,
  TracingConfiguration,
  UpstreamConfiguration,
  WorkloadConfiguration,
} from './configuration.ts'
export type { ConfigurationSchema } from './configuration-schema.ts'
export {
  type Credentials,
  loadClientAuthorities,
  loadCredentials,
  loadTls,
  type TlsCredentials,
} from './credentials.ts'
export { parseListenAddress } from './listen-address.ts'
export { configurationSchema } from './load-schema.ts'
export { configurationFrom, readConfiguration } from './read-configuration.ts'
