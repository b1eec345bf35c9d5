import { matchesPattern } from '../pattern/index.ts'

/** Each role includes those before it. */
export type Role = 'read' | 'write' | 'delete' | 'admin'

export const ROLES: readonly Role[] = ['read', 'write', 'delete', 'admin']

/** A role in all repositories that a pattern matches. */
export interface Grant {
  pattern: string
  role: Role
}

export type Action = 'pull' | 'push' | 'delete'

export const ACTIONS: readonly Action[] = ['pull', 'push', 'delete']

const LEAST: Record<Action, Role> = { pull: 'read', push: 'write', delete: 'delete' }

/** One entry of a token's `access` claim. Source: distribution's token specification. */
export interface Scope {
  type: string
  name: string
  actions: string[]
}

/** Who wants something: what is known of it at this moment. */
export interface Caller {
  /** Undefined for an anonymous caller. */
  account?: { kind: string; name: string; admin: boolean; grants: readonly Grant[] }
  /** Of a caller with an access token: it may do no more than this. */
  limit?: Grant
  /** What a token was issued for; undefined when a password was shown, which grants everything the account may do. */
  scopes?: readonly Scope[]
}

/** What callers without a login may do, everywhere. */
export type AnonymousAccess = 'none' | 'pull' | 'push'

/** `scope`: the caller may, but its token was issued for something else. */
export type RightsDecision = 'allowed' | 'scope' | 'denied'

/** About something in a repository. */
export interface RepositoryFacts {
  repository: string
  /** Another name of the repository, for which a token is as good. */
  asked?: string | undefined
  anonymous: AnonymousAccess
  /** Patterns of repositories that everybody may pull from: those that may match this one. */
  open(repository: string): Promise<readonly string[]>
}

/**
 * What is administered: something of a user or an organisation (`owner`), whether that is there or not; the caller's own things,
 * whichever they are; what the caller may do itself; or the registry as a whole.
 */
export type Administered = { owner: string } | 'own' | 'self' | 'registry'

/** About administration. */
export interface AdministrationFacts {
  what: Administered
  /** The names below which the caller administers; undefined for everything. */
  administered(): Promise<readonly string[] | undefined>
}

/** The scope of tokens that are good for administration, as clients ask for it. */
export const API_SCOPE = 'registry:api:*'

export async function decideInRepository(
  caller: Caller,
  action: Action,
  { repository, asked, anonymous, open }: RepositoryFacts,
): Promise<RightsDecision> {
  const may = isAtLeast(ANONYMOUS[anonymous], action) || hasRight(caller, action, repository)
  if (!may && !(action === 'pull' && matchesAny(await open(repository), repository))) return 'denied'
  return isInScope(caller, action, asked === undefined ? [repository] : [repository, asked]) ? 'allowed' : 'scope'
}

const ANONYMOUS: Record<AnonymousAccess, Role | undefined> = { none: undefined, pull: 'read', push: 'delete' }

/**
 * Administrators administer everything, users and owners of organisations what is below their names; grants give nothing of
 * that, whatever their role. An access token that gives less than everything administers nothing.
 */
export async function decideAdministration(
  { account, limit, scopes }: Caller,
  { what, administered }: AdministrationFacts,
): Promise<RightsDecision> {
  if (!account) return 'denied'
  if (what !== 'self') {
    if (limit && !isWhole(limit)) return 'denied'
    const names = await administered()
    if (names && (what === 'registry' || (what !== 'own' && !names.includes(what.owner)))) return 'denied'
  }
  return !scopes || scopes.some(({ type, name }) => type === 'registry' && name === 'api') ? 'allowed' : 'scope'
}

/**
 * The names below which a caller administers; undefined for everything. Whatever is granted: to give rights away, or to make members, is
 * for those who answer for the name.
 */
export async function administeredBy(
  { account, limit }: Caller,
  owned: (name: string) => Promise<readonly string[]>,
): Promise<string[] | undefined> {
  if (!account || (limit && !isWhole(limit)) || account.kind !== 'user') return []
  if (account.admin) return undefined
  return [account.name, ...(await owned(account.name))]
}

/** Repositories that a caller is shown: all, or those that one of `within`, or a public pattern, matches; and `only` as well. */
export interface Readable {
  within?: string[]
  andPublic?: boolean
  only?: string | undefined
}

export function readableBy({ account, limit }: Caller, anonymous: AnonymousAccess): Readable {
  if (anonymous !== 'none') return {}
  if (account?.admin) return { only: limit?.pattern }
  const own = account ? rightsOf(account).map(({ pattern }) => pattern) : []
  return { within: own, andPublic: true, only: limit?.pattern }
}

/** Whether it gives all that its account may. */
function isWhole({ pattern, role }: Grant): boolean {
  return pattern === '**' && role === 'admin'
}

function hasRight({ account, limit }: Caller, action: Action, repository: string): boolean {
  if (!account) return false
  if (limit && !(isAtLeast(limit.role, action) && matchesPattern(limit.pattern, repository))) return false
  return rightsOf(account).some(({ pattern, role }) => isAtLeast(role, action) && matchesPattern(pattern, repository))
}

/** Users have what is below their name. What is below an organisation's comes with the grants of its members. */
function rightsOf({ kind, name, admin, grants }: NonNullable<Caller['account']>): readonly Grant[] {
  if (admin) return [{ pattern: '**', role: 'admin' }]
  return kind === 'user' ? [{ pattern: `${name}/**`, role: 'admin' }, ...grants] : grants
}

function isAtLeast(role: Role | undefined, action: Action): boolean {
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(LEAST[action])
}

const matchesAny = (patterns: readonly string[], name: string) =>
  patterns.some((pattern) => matchesPattern(pattern, name))

function isInScope({ scopes }: Caller, action: Action, names: readonly string[]): boolean {
  if (scopes === undefined) return true
  return scopes.some(
    (scope) => scope.type === 'repository' && names.includes(scope.name) && scope.actions.includes(action),
  )
}
