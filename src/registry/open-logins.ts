import type { Clock } from '#base'
import {
  type Authenticator,
  createAuthenticator,
  createDirectoryLogins,
  createRefreshTokens,
  createSigningKeys,
  createTokenIssuer,
  type LoginSource,
  type RefreshTokens,
  type TokenIssuer,
} from './auth/index.ts'
import { createWorkloads, type WorkloadRule } from './login/index.ts'
import type { MetaStore } from './meta/index.ts'

/** How callers are known, and what they are given in place of their passwords. Disposing it ends connections to CI services. */
interface Logins extends AsyncDisposable {
  authenticator: Authenticator
  tokens: TokenIssuer
  refreshTokens: RefreshTokens
}

interface LoginParts {
  meta: MetaStore
  clock: Clock
  /** Seals the keys that sign tokens. */
  secret: Uint8Array
  report: (failure: unknown, what: string) => void
}

interface LoginOptions {
  source: LoginSource | undefined
  rules: readonly WorkloadRule[] | undefined
  unusedFor: number | undefined
}

const UNUSED_FOR = 30 * 24 * 3_600_000

/** By passwords and access tokens, those of a directory, and tokens of CI services, as far as there are such. */
export function openLogins(
  { meta, clock, secret, report }: LoginParts,
  { source, rules = [], unusedFor = UNUSED_FOR }: LoginOptions,
): Logins {
  const tokens = createTokenIssuer({ keys: createSigningKeys({ meta, clock, secret }), clock })
  const refreshTokens = createRefreshTokens({ meta, unusedFor })
  const directory = createDirectoryLogins({ source, meta, clock, report })
  const workloads = rules.length > 0 ? createWorkloads({ rules, clock }) : undefined
  return {
    authenticator: createAuthenticator({ meta, tokens, refreshTokens, directory, workloads, report, clock }),
    tokens,
    refreshTokens,
    [Symbol.asyncDispose]: async () => await workloads?.[Symbol.asyncDispose](),
  }
}
