import { BaleError, printable } from '#base'
import { isPattern, type MetaStore, type Role } from '../meta/index.ts'
import { hashPassword } from './password.ts'

/** A user of a registry, without the password. */
export interface User {
  name: string
  /** May do everything, everywhere. */
  admin: boolean
  grants: { pattern: string; role: Role }[]
}

/** The users of a registry. It starts without any: access is denied by default (A09). */
export interface Users {
  /**
   * A user is admin of the repositories below its own name (`ann/…`). CONFLICT when the name is taken, or when there are
   * repositories or others' rights below it and `adopt` does not say that they are this user's.
   */
  add(name: string, password: string, options?: { admin?: boolean; adopt?: boolean }): Promise<void>
  /** Tokens and grants of the user end at once. */
  remove(name: string): Promise<void>
  setPassword(name: string, password: string): Promise<void>
  /** Gives a role in all repositories that fit the pattern: `team/web`, `team/*` (one part), `team/**`, `**`. */
  grant(name: string, pattern: string, role: Role): Promise<void>
  revoke(name: string, pattern: string): Promise<void>
  list(): Promise<User[]>
}

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const SHORTEST_PASSWORD = 8
const LONGEST_PASSWORD = 512

export function createUsers(meta: MetaStore): Users {
  return {
    async add(name, password, { admin = false, adopt = false } = {}) {
      checkName(name)
      checkPassword(password)
      const outcome = await meta.addAccount({ name, passwordHash: await hashPassword(password), admin, adopt })
      if (outcome === 'added') return
      if (outcome.taken === name) {
        throw new BaleError('CONFLICT', `user ${name} already exists`, {
          next: { act: 'change-registry-password', user: name },
        })
      }
      throw new BaleError('CONFLICT', `user ${name} would become admin of ${outcome.taken}, which is there already`, {
        next: { act: 'adopt-repositories' },
      })
    },
    async remove(name) {
      if (!(await meta.removeAccount(name))) throw unknownUser(name)
    },
    async setPassword(name, password) {
      checkPassword(password)
      if (!(await meta.setPassword(name, await hashPassword(password)))) throw unknownUser(name)
    },
    async grant(name, pattern, role) {
      if (!isPattern(pattern)) {
        throw new BaleError('INVALID_ARGUMENT', `not a pattern of repositories: ${printable(pattern, 120)}`, {
          hint: 'for example team/web, team/* (one path component), team/** (everything below) or **',
        })
      }
      if (!(['read', 'write', 'admin'] as string[]).includes(role)) {
        throw new BaleError('INVALID_ARGUMENT', `not a role: ${printable(role, 40)}`, {
          hint: 'roles are read, write and admin',
        })
      }
      if (!(await meta.setGrant(name, pattern, role))) throw unknownUser(name)
    },
    async revoke(name, pattern) {
      if (await meta.setGrant(name, pattern, undefined)) return
      throw new BaleError('INVALID_ARGUMENT', `user ${printable(name, 80)} has no grant for ${printable(pattern, 120)}`)
    },
    async list() {
      return (await meta.listAccounts()).map(({ name, admin, grants }) => ({ name, admin, grants }))
    },
  }
}

function checkName(name: string): void {
  if (name.length <= 64 && NAME.test(name)) return
  throw new BaleError('INVALID_ARGUMENT', `not a user name: ${printable(name, 80)}`, {
    hint: 'a name has at most 64 lower-case letters and digits, with single . _ or - between them',
  })
}

function checkPassword(password: string): void {
  if (password.length >= SHORTEST_PASSWORD && password.length <= LONGEST_PASSWORD) return
  throw new BaleError('INVALID_ARGUMENT', `a password has ${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters`)
}

function unknownUser(name: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', `there is no user ${printable(name, 80)}`, {
    next: { act: 'list-registry-users' },
  })
}
