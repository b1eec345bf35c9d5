import { BaleError, printable } from '#base'
import type { Grant, Role } from '../decide/index.ts'
import type { AccountPage, KeptLogin, MetaStore } from '../meta/index.ts'
import { checkName } from './account-name.ts'
import { checkGrant } from './grant.ts'
import { hashPassword, verifyPassword } from './password.ts'

/** A user of a registry, without the password. */
export interface User {
  name: string
  /** The directory by which they log in; undefined for those with a password here. */
  origin?: string
  /** May do everything, everywhere. */
  admin: boolean
  grants: Grant[]
}

/** The users of a registry. It starts without any: access is denied by default (A09). */
export interface Users {
  /**
   * A user is admin of the repositories below its own name (`ann/…`). CONFLICT when the name is taken, or when there are
   * repositories or others' rights below it and `adopt` does not say that they are this user's.
   */
  add(name: string, password: string, options?: { admin?: boolean; adopt?: boolean }): Promise<void>
  /** Tokens, grants and robots of the user end at once. */
  remove(name: string): Promise<void>
  /** Ends all its logins. CONFLICT for one who logs in by a directory; DENIED when `old` is given and not the password of before. */
  setPassword(name: string, password: string, options?: { old?: string }): Promise<void>
  /** What it is logged in with in browsers and programs, newest first; some may have ended without use. */
  logins(name: string): Promise<KeptLogin[]>
  /** Ends all tokens and logins that browsers and programs keep; the password and access tokens stay. */
  logOut(name: string): Promise<void>
  /** Makes a user an administrator, who may do everything, or one like others again. */
  setAdmin(name: string, admin: boolean): Promise<void>
  /**
   * Gives an account (a user, organisation, team or robot) a role in all repositories that fit the pattern: `team/web`,
   * `team/*` (one part), `team/**`, `**`. Whatever an organisation has, each of its members has. Teams, robots and organisations
   * get rights in repositories of their own organisation or user alone.
   */
  grant(name: string, pattern: string, role: Role): Promise<void>
  revoke(name: string, pattern: string): Promise<void>
  list(page?: AccountPage): Promise<User[]>
}

const SHORTEST_PASSWORD = 8
const LONGEST_PASSWORD = 512

export function createUsers(meta: MetaStore): Users {
  return {
    async add(name, password, { admin = false, adopt = false } = {}) {
      checkName('user', name)
      checkPassword(password)
      const passwordHash = await hashPassword(password)
      const outcome = await meta.addAccount({ kind: 'user', name, passwordHash, admin, adopt })
      if (outcome === 'added') return
      if ('taken' in outcome && outcome.taken === name) {
        throw new BaleError('CONFLICT', `user ${name} already exists`, {
          next: { act: 'change-registry-password', user: name },
        })
      }
      const below = 'taken' in outcome ? outcome.taken : outcome.missing
      throw new BaleError('CONFLICT', `user ${name} would become admin of ${below}, which is there already`, {
        next: { act: 'adopt-repositories' },
      })
    },
    async remove(name) {
      if ((await meta.removeAccount(name, 'user')) !== 'removed') throw unknownUser(name)
    },
    async setPassword(name, password, { old } = {}) {
      checkPassword(password)
      const { origin, passwordHash } = (await meta.findAccount({ name })) ?? {}
      if (origin !== undefined) {
        throw new BaleError('CONFLICT', `user ${name} has no password here, but logs in by ${origin}`)
      }
      if (old !== undefined && !(await verifyPassword(old, passwordHash))) {
        throw new BaleError('DENIED', 'the old password is not right')
      }
      if (!(await meta.setPassword(name, await hashPassword(password)))) throw unknownUser(name)
    },
    async logins(name) {
      const logins = await meta.listLogins(name)
      if (!logins) throw unknownUser(name)
      return logins
    },
    async logOut(name) {
      if (!(await meta.endLogins(name))) throw unknownUser(name)
    },
    async setAdmin(name, admin) {
      if (!(await meta.setAdmin(name, admin))) throw unknownUser(name)
    },
    async grant(name, pattern, role) {
      const account = await meta.findAccount({ name })
      if (!account) throw unknownUser(name)
      checkGrant(account.kind, name, pattern, role)
      if (!(await meta.setGrant(name, pattern, role))) throw unknownUser(name)
    },
    async revoke(name, pattern) {
      if (await meta.setGrant(name, pattern, undefined)) return
      throw new BaleError('NOT_FOUND', `${printable(name, 80)} has no grant for ${printable(pattern, 120)}`)
    },
    async list(page) {
      return (await meta.listAccounts('user', page)).map(({ name, origin, admin, grants }) => ({
        ...{ name, admin, grants },
        ...(origin !== undefined && { origin }),
      }))
    },
  }
}

function checkPassword(password: string): void {
  if (password.length >= SHORTEST_PASSWORD && password.length <= LONGEST_PASSWORD) return
  throw new BaleError('INVALID_ARGUMENT', `a password has ${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters`)
}

function unknownUser(name: string): BaleError {
  return new BaleError('NOT_FOUND', `there is no user ${printable(name, 80)}`, {
    next: { act: 'list-registry-users' },
  })
}
