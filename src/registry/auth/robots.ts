import type { Grant } from '../decide/index.ts'
import type { AccountPage, MetaStore } from '../meta/index.ts'
import { newToken } from './access-tokens.ts'
import { checkName, ownerOf } from './account-name.ts'
import { checkGrant } from './grant.ts'
import { missing, notAdded } from './organisations.ts'

/** An account for programs. */
export interface Robot {
  name: string
  grants: Grant[]
}

/** Robots (`acme+ci`) belong to an organisation or a user, have no password but access tokens, and only what was granted. */
export interface Robots {
  /**
   * Returns the secret of its first token, with the label `first`. `grants` as those of `Users.grant`; `lifetime` is that of
   * the token.
   */
  add(name: string, options?: { grants?: readonly Grant[]; lifetime?: number }): Promise<string>
  remove(name: string): Promise<void>
  /** Of all, or of one organisation or user. */
  list(owner?: string, page?: AccountPage): Promise<Robot[]>
}

export function createRobots(meta: MetaStore): Robots {
  return {
    async add(name, { grants = [], lifetime } = {}) {
      checkName('robot', name)
      for (const { pattern, role } of grants) checkGrant('robot', name, pattern, role)
      const { secret, token } = newToken('first', { lifetime })
      const robot = { kind: 'robot', name, owner: ownerOf(name), adopt: true, grants, token } as const
      const outcome = await meta.addAccount(robot)
      if (outcome === 'added') return secret
      throw notAdded('robot', name, outcome)
    },
    async remove(name) {
      if ((await meta.removeAccount(name, 'robot')) !== 'removed') throw missing(name)
    },
    async list(owner, page) {
      const robots = await meta.listAccounts('robot', { ...page, owner })
      return robots.map(({ name, grants }) => ({ name, grants }))
    },
  }
}
