import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Account, MetaStore } from '../meta/index.ts'
import { hashOf, newSecret } from './secret-code.ts'

const SECRET = /^[A-Za-z0-9_-]{43}$/

/** When logins in browsers end. Milliseconds. */
export interface SessionSettings {
  /** After so long without a request; 0: nobody logs in by a browser. */
  unusedFor: number
  /** After so long in any case. */
  lifetime: number
}

/** Logins of people in browsers, each known by a secret that the browser keeps in a cookie. */
export interface Sessions {
  readonly lifetime: number
  /** The secret of a new one. Undefined when the account has ended meanwhile. */
  begin(meta: MetaStore, account: Account): Promise<string | undefined>
  use(secret: string): Promise<Account | undefined>
  end(meta: MetaStore, secret: string): Promise<void>
  /**
   * What a form of a page has to say so that no other site can have the browser send it: known to the pages that the
   * browser got with the session alone.
   */
  formToken(secret: string): string
  isFormToken(secret: string, given: string): boolean
}

/** `meta` is whose time counts. */
export function createSessions(meta: MetaStore, { unusedFor, lifetime }: SessionSettings): Sessions {
  const formToken = (secret: string) => createHmac('sha256', secret).update('forms').digest('base64url')
  return {
    lifetime,
    async begin(by, account) {
      const secret = newSecret()
      const added = await by.addSession({ hash: hashOf(secret), account, unusedFor, lifetime })
      return added === 'added' ? secret : undefined
    },
    async use(secret) {
      return SECRET.test(secret) ? await meta.useSession(hashOf(secret), unusedFor) : undefined
    },
    async end(by, secret) {
      await by.endSession(hashOf(secret))
    },
    formToken,
    isFormToken(secret, given) {
      const [one, other] = [Buffer.from(formToken(secret)), Buffer.from(given)]
      return one.length === other.length && timingSafeEqual(one, other)
    },
  }
}
