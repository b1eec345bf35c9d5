/** registry/auth: authentication and access rights. Promises: equal work for unknown users, pinned algorithm, rights looked up per request. */
export { type Access, createAccess, type Principal } from './access.ts'
export type { AccessTokenOptions, AccessTokens } from './access-tokens.ts'
export { isAccountActor, ownerOf } from './account-name.ts'
export { type Accounts, createAccounts } from './accounts.ts'
export type { AuditLog } from './audit-log.ts'
export { type Authentication, type Authenticator, createAuthenticator } from './authenticator.ts'
export { type Bootstrap, createBootstrap } from './bootstrap.ts'
export { type BrowserLogins, createBrowserLogins } from './browser-logins.ts'
export { createDirectoryLogins } from './directory-logins.ts'
export type {
  Identity,
  LoginProvider,
  LoginSource,
  ProvidedIdentity,
  ProviderAnswer,
  ProviderRequest,
  Workload,
  WorkloadSource,
} from './login-source.ts'
export type { Group, Organisations } from './organisations.ts'
export { createRefreshTokens, type RefreshTokens } from './refresh-tokens.ts'
export { accountActor, createRefusals } from './refusals.ts'
export type { Robot, Robots } from './robots.ts'
export type { SessionSettings, Sessions } from './sessions.ts'
export { createSigningKeys, forgetSealedKeys } from './signing-keys.ts'
export { createTokenIssuer, SERVICE, type TokenIssuer } from './token-issuer.ts'
export type { User, Users } from './users.ts'
export { listVisible, type Visibility } from './visibility.ts'
