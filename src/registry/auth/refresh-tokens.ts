import type { AccessToken, Account, MetaStore } from '../meta/index.ts'
import type { Principal } from './access.ts'
import { hashOf, newSecret } from './secret-code.ts'

/** As access tokens begin, so that scanners of code find these, too. */
const MARK = 'bale_r_'
const SECRET = /^bale_r_[A-Za-z0-9_-]{43}$/
const CLIENT = /^[A-Za-z0-9._-]{1,64}$/

/**
 * What clients have in place of a password, after a login (docker's "identity token"). One is good for any number of tokens and
 * is never exchanged for another: docker's daemon and containerd forget a new one that they get on the way, and would be
 * logged out by it.
 */
export interface RefreshTokens {
  /**
   * A new one, which gives what the caller's password or access token gives. Undefined when there is none for such a
   * caller. `client` is what the client calls itself.
   */
  issue(meta: MetaStore, principal: Principal, client: string): Promise<string | undefined>
  use(secret: string): Promise<{ account: Account; token?: AccessToken } | undefined>
}

/**
 * They end after `unusedFor` milliseconds without use; 0: nobody gets one. Those of accounts of the provider end `validFor` milliseconds
 * after they were issued: nobody can be asked whether the provider still knows the person.
 */
export function createRefreshTokens(parts: {
  meta: MetaStore
  unusedFor: number
  provider?: { origin: string; validFor: number } | undefined
}): RefreshTokens {
  const { meta, unusedFor, provider } = parts
  return {
    async issue(by, { account, limit, workload }, client) {
      if (!account || unusedFor === 0) return undefined
      const secret = MARK + newSecret()
      const token = { account, accessToken: limit?.id, client: CLIENT.test(client) ? client : '' }
      const isProvided = provider !== undefined && account.origin === provider.origin
      const lasting = {
        lifetime: workload?.lifetime ?? (isProvided ? provider.validFor : undefined),
        holder: workload?.name,
      }
      const added = await by.addRefreshToken({ ...token, ...lasting, hash: hashOf(secret) }, unusedFor)
      return added === 'added' ? secret : undefined
    },
    async use(secret) {
      return SECRET.test(secret) ? await meta.useRefreshToken(hashOf(secret), unusedFor) : undefined
    },
  }
}
