import { type Account, type Grant, type MetaStore, matchesPattern, ROLES, type Role } from '../meta/index.ts'
import type { Workload } from './login-source.ts'

export type Action = 'pull' | 'push' | 'delete'

export const ACTIONS: readonly Action[] = ['pull', 'push', 'delete']

const LEAST: Record<Action, Role> = { pull: 'read', push: 'write', delete: 'delete' }

/** The caller: an account as currently in the database, or anonymous. */
export interface Principal {
  /** Undefined for an anonymous caller. */
  account?: Account
  /** Of a caller with an access token: it may do no more than this. */
  limit?: Limit
  /** Of a caller with a token of a CI service. */
  workload?: Workload
  /** What a token was issued for; undefined when a password was shown, which grants everything the account may do. */
  scopes?: readonly Scope[]
}

/** What an access token gives, by the ID of its row. */
export interface Limit extends Grant {
  id: string
  /** Milliseconds since 1970, by the database. */
  expiresAt?: number
}

/** One entry of a token's `access` claim. Source: distribution's token specification. */
export interface Scope {
  type: string
  name: string
  actions: string[]
}

/** What callers without a login may do, everywhere. */
export type AnonymousAccess = 'none' | 'pull' | 'push'

/** `scope`: the caller may, but its token was issued for something else. */
type Decision = 'allowed' | 'scope' | 'denied'

/**
 * What is administered: something of a user or an organisation (`owner`), whether that is there or not; the caller's own things,
 * whichever they are; what the caller may do itself; or the registry as a whole.
 */
export type Administered = { owner: string } | 'own' | 'self' | 'registry'

/** The scope of tokens that are good for administration, as clients ask for it. */
export const API_SCOPE = 'registry:api:*'

/** The only place where rights are judged, by what is in the database at that moment. */
export interface Access {
  /** `asked`: another name of the repository, for which a token is as good. */
  decide(subject: Principal, action: Action, facts: { repository: string; asked?: string }): Promise<Decision>
  /**
   * Administrators administer everything, users and owners of organisations what is below their names; grants give nothing of
   * that, whatever their role. An access token that gives less than everything administers nothing.
   */
  decide(subject: Principal, action: 'administer', facts: { what: Administered }): Promise<Decision>
  /** The same for several repositories, with one look at what is public. */
  decideEach(subject: Principal, action: Action, repositories: readonly string[]): Promise<Decision[]>
  /** The repositories that a caller is shown: those that one of `within` matches, and `only` as well. */
  readable(subject: Principal): Promise<{ within?: string[]; only?: string }>
  /** The names of users and organisations below which a caller administers; undefined for everything. */
  administered(subject: Principal): Promise<string[] | undefined>
}

export function createAccess({ meta, anonymous }: { meta: MetaStore; anonymous: AnonymousAccess }): Access {
  const all = anonymousRole(anonymous)

  async function decideEach(
    subject: Principal,
    action: Action,
    repositories: readonly string[],
    asked?: string,
  ): Promise<Decision[]> {
    const may = repositories.map((name) => isAtLeast(all, action) || hasRight(subject, action, name))
    const open = action === 'pull' && may.includes(false) ? await meta.publicPatterns() : []
    return repositories.map((name, index) => {
      if (!may[index] && !matchesAny(open, name)) return 'denied'
      return isInScope(subject, action, asked === undefined ? [name] : [name, asked]) ? 'allowed' : 'scope'
    })
  }

  /** Whatever is granted: to give rights away, or to make members, is for those who answer for the name. */
  async function administered({ account, limit }: Principal): Promise<string[] | undefined> {
    if (!account || (limit && !isWhole(limit)) || account.kind !== 'user') return []
    if (account.admin) return undefined
    const owned = (await meta.memberships(account.name)).filter(({ role }) => role === 'owner')
    return [account.name, ...owned.map(({ group }) => group)]
  }

  async function decideAdministration(subject: Principal, what: Administered): Promise<Decision> {
    if (!subject.account) return 'denied'
    if (what !== 'self') {
      if (subject.limit && !isWhole(subject.limit)) return 'denied'
      const names = await administered(subject)
      if (names && (what === 'registry' || (what !== 'own' && !names.includes(what.owner)))) return 'denied'
    }
    const { scopes } = subject
    return !scopes || scopes.some(({ type, name }) => type === 'registry' && name === 'api') ? 'allowed' : 'scope'
  }

  return {
    decideEach: (subject, action, repositories) => decideEach(subject, action, repositories),
    administered,
    async decide(subject, action, facts: { repository: string; asked?: string } | { what: Administered }) {
      if ('what' in facts) return await decideAdministration(subject, facts.what)
      return (await decideEach(subject, action as Action, [facts.repository], facts.asked))[0]!
    },
    async readable({ account, limit }) {
      if (all !== undefined) return {}
      if (account?.admin) return { only: limit?.pattern }
      const own = account ? rightsOf(account).map(({ pattern }) => pattern) : []
      return { within: [...(await meta.publicPatterns()), ...own], only: limit?.pattern }
    },
  }
}

/** Whether it gives all that its account may. */
function isWhole({ pattern, role }: Limit): boolean {
  return pattern === '**' && role === 'admin'
}

function anonymousRole(anonymous: AnonymousAccess): Role | undefined {
  if (anonymous === 'none') return undefined
  return anonymous === 'pull' ? 'read' : 'delete'
}

function hasRight({ account, limit }: Principal, action: Action, repository: string): boolean {
  if (!account) return false
  if (limit && !(isAtLeast(limit.role, action) && matchesPattern(limit.pattern, repository))) return false
  return rightsOf(account).some(({ pattern, role }) => isAtLeast(role, action) && matchesPattern(pattern, repository))
}

/** Users have what is below their name. What is below an organisation's comes with the grants of its members. */
function rightsOf({ kind, name, admin, grants }: Account): readonly Grant[] {
  if (admin) return [{ pattern: '**', role: 'admin' }]
  return kind === 'user' ? [{ pattern: `${name}/**`, role: 'admin' }, ...grants] : grants
}

function isAtLeast(role: Role | undefined, action: Action): boolean {
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(LEAST[action])
}

const matchesAny = (patterns: readonly string[], name: string) =>
  patterns.some((pattern) => matchesPattern(pattern, name))

function isInScope(principal: Principal, action: Action, names: readonly string[]): boolean {
  if (principal.scopes === undefined) return true
  return principal.scopes.some(
    (scope) => scope.type === 'repository' && names.includes(scope.name) && scope.actions.includes(action),
  )
}
