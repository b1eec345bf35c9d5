import type { Clock } from '#base'
import {
  type Authenticator,
  type Bootstrap,
  type BrowserLogins,
  createAuthenticator,
  createBootstrap,
  createBrowserLogins,
  createDirectoryLogins,
  createRefreshTokens,
  createSigningKeys,
  createTokenIssuer,
  type LoginSource,
  type RefreshTokens,
  type SessionSettings,
  type TokenIssuer,
} from './auth/index.ts'
import { createProvider, createWorkloads, type ProviderOptions, type WorkloadRule } from './login/index.ts'
import type { MetaStore } from './meta/index.ts'
import { createSeal } from './seal/index.ts'

/** How callers are known, and what they are given in place of their passwords. Disposing it ends connections to providers and CI services. */
interface Logins extends AsyncDisposable {
  authenticator: Authenticator
  tokens: TokenIssuer
  refreshTokens: RefreshTokens
  browsers: BrowserLogins | undefined
  bootstrap: Bootstrap
}

interface LoginParts {
  meta: MetaStore
  clock: Clock
  /** Seals the keys that sign tokens, and logins under way. */
  secret: Uint8Array
  report: (failure: unknown, what: string) => void
}

/** Who logs in, and how long that lasts. */
export interface LoginSettings {
  /** People who log in with their passwords of a directory. */
  loginSource?: LoginSource
  /** Jobs of CI services that log in as robots, by tokens of those; the first rule that fits counts. */
  workloads?: readonly WorkloadRule[]
  /**
   * How long a login lasts that a client does not use, where it keeps a token in place of the password (docker does). Milliseconds,
   * 30 days by default; 0: clients get none, and keep passwords.
   */
  refreshTokensUnusedFor?: number
  /** Says who people are that log in there with their browsers. */
  provider?: ProviderOptions
  /** When logins in browsers end: after 12 hours without a request, and after 7 days, by default. */
  sessions?: SessionSettings
  /** Whoever shows it makes the first administrator, while there are no users. */
  bootstrapToken?: string
}

const UNUSED_FOR = 30 * 24 * 3_600_000
const SESSIONS: SessionSettings = { unusedFor: 12 * 3_600_000, lifetime: 7 * 24 * 3_600_000 }

/** By passwords and access tokens, those of a directory, a provider, and tokens of CI services, as far as there are such. */
export function openLogins({ meta, clock, secret, report }: LoginParts, settings: LoginSettings): Logins {
  const { workloads: rules = [], refreshTokensUnusedFor: unusedFor = UNUSED_FOR } = settings
  const tokens = createTokenIssuer({ keys: createSigningKeys({ meta, clock, secret }), clock })
  const provider = settings.provider && createProvider(settings.provider, clock)
  const refreshTokens = createRefreshTokens({ meta, unusedFor, provider })
  const directory = createDirectoryLogins({ source: settings.loginSource, meta, clock, report })
  const workloads = rules.length > 0 ? createWorkloads({ rules, clock }) : undefined
  const sources = { directory, providerOrigin: provider?.origin, workloads }
  return {
    authenticator: createAuthenticator({ meta, tokens, refreshTokens, ...sources, report, clock }),
    tokens,
    refreshTokens,
    browsers: createBrowserLogins({
      ...{ meta, provider, clock, report },
      sessions: settings.sessions ?? SESSIONS,
      directory: directory.isThere,
      keepsLogins: unusedFor > 0,
      seal: createSeal(secret, 'logins under way'),
    }),
    bootstrap: createBootstrap(meta, settings.bootstrapToken),
    async [Symbol.asyncDispose]() {
      await provider?.[Symbol.asyncDispose]()
      await workloads?.[Symbol.asyncDispose]()
    },
  }
}
