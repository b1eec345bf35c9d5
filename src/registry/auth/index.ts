/** registry/auth: authentication and access rights. Promises: equal work for unknown users, pinned algorithm, rights looked up per request. */
export {
  type Action,
  type AnonymousAccess,
  actionsOf,
  isInScope,
  type Principal,
  readable,
  type Scope,
} from './access.ts'
export { type Authentication, type Authenticator, createAuthenticator } from './authenticator.ts'
export { createSigningKeys, forgetSealedKeys } from './signing-keys.ts'
export { createTokenIssuer, SERVICE, type TokenIssuer } from './token-issuer.ts'
export { createUsers, type User, type Users } from './users.ts'
