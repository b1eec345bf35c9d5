import {
  type Action,
  type Administered,
  type AnonymousAccess,
  administeredBy,
  type Caller,
  decide,
  type Grant,
  type Readable,
  type RightsDecision,
  readableBy,
} from '../decide/index.ts'
import type { Account, MetaStore } from '../meta/index.ts'
import type { Workload } from './login-source.ts'
import { openOnce } from './visibility.ts'

/** The caller: an account as currently in the database, or anonymous. */
export interface Principal extends Caller {
  account?: Account
  limit?: Limit
  /** Of a caller with a token of a CI service. */
  workload?: Workload
}

/** What an access token gives, by the ID of its row. */
export interface Limit extends Grant {
  id: string
  /** Milliseconds since 1970, by the database. */
  expiresAt?: number
}

/** Rights, by what is in the database at that moment. */
export interface Access {
  /** `asked`: another name of the repository, for which a token is as good. */
  decide(subject: Principal, action: Action, facts: { repository: string; asked?: string }): Promise<RightsDecision>
  decide(subject: Principal, action: 'administer', facts: { what: Administered }): Promise<RightsDecision>
  /** The same for several repositories. */
  decideEach(subject: Principal, action: Action, repositories: readonly string[]): Promise<RightsDecision[]>
  readable(subject: Principal): Readable
  /** The names of users and organisations below which a caller administers; undefined for everything. */
  administered(subject: Principal): Promise<string[] | undefined>
}

export function createAccess({ meta, anonymous }: { meta: MetaStore; anonymous: AnonymousAccess }): Access {
  const open = (repository: string) => meta.publicPatterns(repository)

  async function owned(name: string): Promise<string[]> {
    const memberships = await meta.memberships(name)
    return memberships.filter(({ role }) => role === 'owner').map(({ group }) => group)
  }

  return {
    async decideEach(subject, action, repositories) {
      const facts = { anonymous, open: openOnce(meta) }
      return await Promise.all(repositories.map((repository) => decide(subject, action, { repository, ...facts })))
    },
    async decide(subject, action, facts: { repository: string; asked?: string } | { what: Administered }) {
      if ('repository' in facts) return await decide(subject, action as Action, { ...facts, anonymous, open })
      const administered = () => administeredBy(subject, owned)
      return await decide(subject, 'administer', { what: facts.what, administered })
    },
    readable: (subject) => readableBy(subject, anonymous),
    administered: (subject) => administeredBy(subject, owned),
  }
}
