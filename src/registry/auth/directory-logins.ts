import { type Clock, isBaleError } from '#base'
import type { Account, MetaStore } from '../meta/index.ts'
import { isUserName } from './account-name.ts'
import { createEnterAccount } from './enter-account.ts'
import type { Identity, LoginSource } from './login-source.ts'

/** Logins of people whom a directory knows. */
export interface DirectoryLogins {
  /** Whether there is a directory. Without one, nobody logs in by it. */
  readonly isThere: boolean
  /** How long a right password counts without another question. Milliseconds. */
  readonly rememberFor: number
  /**
   * The account of somebody whose password is right there, as the directory wants it now. Undefined for anybody else, and
   * when the name is another account's: that is told to the operator.
   */
  logIn(name: string, password: string): Promise<Account | undefined>
  /** The same for an account of the directory whose owner showed something else; undefined when the directory does not know it any more. */
  current(account: Account): Promise<Account | undefined>
}

const MOST_REMEMBERED = 10_000

export function createDirectoryLogins(parts: {
  source: LoginSource | undefined
  meta: MetaStore
  clock: Clock
  report: (failure: unknown, what: string) => void
}): DirectoryLogins {
  const { source, meta, clock, report } = parts
  if (!source) return { isThere: false, rememberFor: 0, logIn: async () => undefined, current: async () => undefined }
  const { origin, rememberFor } = source
  const enterAccount = createEnterAccount(source, report)
  /** When accounts were last looked up, by their IDs. */
  const seen = new Map<string, number>()
  const by = meta.as({ actor: `directory:${origin}` })

  async function enter(name: string, identity: Identity): Promise<Account | undefined> {
    try {
      const account = await enterAccount(by, name, identity)
      if (seen.size >= MOST_REMEMBERED) seen.clear()
      seen.set(account.id, clock.now())
      return account
    } catch (error) {
      if (!isBaleError(error, 'CONFLICT')) throw error
      report(error, `the login of ${name}`)
      return undefined
    }
  }

  return {
    isThere: true,
    rememberFor,
    async logIn(name, password) {
      // With an empty password, directories answer that anybody may log in, as nobody (RFC 4513, section 5.1.2).
      if (password === '' || !isUserName(name)) return undefined
      const verdict = await source.verify(name, password)
      return verdict === 'refused' ? undefined : await enter(name, verdict)
    },
    async current(account) {
      if (account.origin !== origin) return undefined
      const last = seen.get(account.id)
      if (last !== undefined && clock.now() < last + rememberFor) return account
      const found = await source.find(account.name)
      return found === 'absent' ? undefined : await enter(account.name, found)
    },
  }
}
