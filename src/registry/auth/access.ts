import { type Account, matchesPattern, type Role } from '../meta/index.ts'

export type Action = 'pull' | 'push' | 'delete'

const ACTIONS: Record<Role, readonly Action[]> = {
  read: ['pull'],
  write: ['pull', 'push'],
  admin: ['pull', 'push', 'delete'],
}

/** The caller: a user as currently in the database, or anonymous. */
export interface Principal {
  /** Undefined for an anonymous caller. */
  account?: Account
  /** What a token was issued for; undefined when a password was shown, which grants everything the account may do. */
  scopes?: readonly Scope[]
}

/** One entry of a token's `access` claim. Source: distribution's token specification. */
export interface Scope {
  type: string
  name: string
  actions: string[]
}

/** What callers without a login may do, everywhere. */
export type AnonymousAccess = 'none' | 'pull' | 'push'

/** What the caller may do in a repository by the rights it has now. A token's scope narrows this: `isInScope`. */
export function actionsOf(principal: Principal, repository: string, anonymous: AnonymousAccess): ReadonlySet<Action> {
  const actions = new Set<Action>()
  const add = (more: readonly Action[]) => {
    for (const action of more) actions.add(action)
  }
  if (anonymous === 'pull') add(['pull'])
  if (anonymous === 'push') add(['pull', 'push', 'delete'])
  const { account } = principal
  if (!account) return actions
  if (account.admin || repository.startsWith(`${account.name}/`)) add(ACTIONS.admin)
  for (const grant of account.grants) {
    if (matchesPattern(grant.pattern, repository)) add(ACTIONS[grant.role])
  }
  return actions
}

/** The repositories that a caller may pull, as patterns; undefined for all of them. */
export function readable({ account }: Principal, anonymous: AnonymousAccess): string[] | undefined {
  if (anonymous !== 'none' || account?.admin) return undefined
  return account ? [`${account.name}/**`, ...account.grants.map(({ pattern }) => pattern)] : []
}

export function isInScope(principal: Principal, action: Action, repository: string): boolean {
  if (principal.scopes === undefined) return true
  return principal.scopes.some(
    (scope) => scope.type === 'repository' && scope.name === repository && scope.actions.includes(action),
  )
}
