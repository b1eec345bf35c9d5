import { BaleError, type Clock, isBaleError } from '#base'
import type { Account, MetaStore } from '../meta/index.ts'
import type { Seal } from '../seal/index.ts'
import { isUserName } from './account-name.ts'
import { createEnterAccount } from './enter-account.ts'
import type { LoginProvider, ProviderAnswer, ProviderRequest } from './login-source.ts'
import { hashOf, newSecret } from './secret-code.ts'

/** How long somebody has to log in at the provider. Milliseconds. */
const LIFETIME = 600_000

/** Logins of people whom a provider knows. Any replica ends what another one began: the browser brings what is needed. */
export interface ProviderLogins {
  /** The issuer. */
  readonly origin: string
  readonly title: string
  /** Milliseconds. */
  readonly lifetime: number
  /** Where the browser is to go, and what it is to bring back. `to` is where it goes after the login. */
  begin(back: { redirectUri: string; to: string }): Promise<{ url: URL; sealed: string }>
  /**
   * Who came back, with their account. Once for each login that was begun. DENIED when the browser is not the one that it was begun in, or what it
   * brings is not right; CONFLICT and INVALID_ARGUMENT when the person can get no account.
   */
  end(
    meta: MetaStore,
    back: Answer & { sealed: string | undefined; redirectUri: string },
  ): Promise<{ account: Account; to: string }>
}

interface Answer {
  state: string
  code: string
  issuer: string | undefined
}

interface Begun {
  nonce: string
  verifier: string
  to: string
  until: number
}

export function createProviderLogins(parts: {
  provider: LoginProvider
  meta: MetaStore
  seal: Seal
  clock: Clock
  report: (failure: unknown, what: string) => void
}): ProviderLogins {
  const { provider, meta, seal, clock, report } = parts
  const enterAccount = createEnterAccount({ ...provider, renames: true }, report)

  /** What was begun in the browser with this state. */
  function opened(state: string, sealed: string | undefined): Begun {
    const begun = sealed === undefined ? undefined : openedSeal(seal, state, sealed)
    if (begun && begun.until > clock.now()) return begun
    throw new BaleError('DENIED', 'this login was not begun in this browser, or it took too long')
  }

  return {
    origin: provider.origin,
    title: provider.title,
    lifetime: LIFETIME,
    async begin({ redirectUri, to }) {
      const [state, nonce, verifier] = [newSecret(), newSecret(), newSecret()]
      const url = await provider.address({ state, nonce, verifier, redirectUri })
      const begun: Begun = { nonce, verifier, to, until: clock.now() + LIFETIME }
      return { url, sealed: seal.close(state, JSON.stringify(begun)) }
    },
    async end(by, { state, code, issuer, sealed, redirectUri }) {
      const { nonce, verifier, to } = opened(state, sealed)
      await useOnce(meta, state)
      const request: ProviderRequest = { state, nonce, verifier, redirectUri }
      const answer: ProviderAnswer = { code, issuer }
      const { name, ...identity } = await provider.identify(request, answer)
      return { account: await enterAccount(by, checkedName(name, provider), identity), to }
    },
  }
}

function openedSeal(seal: Seal, state: string, sealed: string): Begun | undefined {
  try {
    return JSON.parse(seal.open(state, sealed)) as Begun
  } catch (error) {
    if (isBaleError(error, 'DENIED')) return undefined
    throw error
  }
}

/** At all replicas together. */
async function useOnce(meta: MetaStore, state: string): Promise<void> {
  const limits = [{ key: hashOf(`login begun as ${state}`), limit: 1 }]
  if ((await meta.countAttempt(state, { limits, period: LIFETIME })) === 'counted') return
  throw new BaleError('DENIED', 'this login has ended already')
}

function checkedName(name: string, { origin }: LoginProvider): string {
  if (isUserName(name)) return name
  throw new BaleError(
    'INVALID_ARGUMENT',
    `${origin} calls you ${JSON.stringify(name.slice(0, 100))}, which cannot be the name of a user here`,
    {
      hint: 'a name has at most 64 lower-case letters and digits, with single . _ or - between them: have your name changed there, or ask the administrator of the registry for another name-claim',
    },
  )
}
