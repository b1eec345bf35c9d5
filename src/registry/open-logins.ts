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
  type RefreshTokens,
  type SessionSettings,
  type TokenIssuer,
} from './auth/index.ts'
import { createProvider, createWorkloads } from './login/index.ts'
import type { MetaStore } from './meta/index.ts'
import type { RegistrySettings } from './registry.ts'
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

type LoginSettings = Pick<
  RegistrySettings,
  'loginSource' | 'workloads' | 'refreshTokensUnusedFor' | 'provider' | 'sessions' | 'bootstrapToken'
>

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
