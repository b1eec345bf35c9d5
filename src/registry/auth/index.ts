/** registry/auth: authentication and access rights. Promises: equal work for unknown users, pinned algorithm, rights looked up per request. */
export {
  ACTIONS,
  type Access,
  type Action,
  type AnonymousAccess,
  createAccess,
  type Principal,
  type Scope,
} from './access.ts'
export type { AccessTokenOptions, AccessTokens } from './access-tokens.ts'
export { type Accounts, createAccounts } from './accounts.ts'
export type { AuditLog } from './audit-log.ts'
export { type Authentication, type Authenticator, createAuthenticator } from './authenticator.ts'
export type { Group, Organisations } from './organisations.ts'
export { accountActor, createRefusals } from './refusals.ts'
export type { Robot, Robots } from './robots.ts'
export { createSigningKeys, forgetSealedKeys, sealedAgain } from './signing-keys.ts'
export { createTokenIssuer, SERVICE, type TokenIssuer } from './token-issuer.ts'
export type { User, Users } from './users.ts'
export type { Visibility } from './visibility.ts'
