import { BaleError, printable } from '#base'
import type { Grant } from '../decide/index.ts'
import type { AccountKind, AccountPage, Member, MemberRole, MetaStore } from '../meta/index.ts'
import { checkName, ownerOf } from './account-name.ts'

/** An organisation or a team of one. */
export interface Group {
  name: string
  /** What each of its members may do. */
  grants: Grant[]
  members: Member[]
}

/** Organisations have repositories below their names (`acme/…`), owners, members, and teams (`acme/web`) of them. */
export interface Organisations {
  /**
   * `owner` is a user who may do everything below it. CONFLICT when the name is taken, or when there are repositories or rights
   * below it and `adopt` does not say that they are the organisation's.
   */
  add(name: string, options?: { owner?: string; adopt?: boolean }): Promise<void>
  /** Its teams, robots, and all rights below its name go with it. CONFLICT while it has repositories. */
  remove(name: string): Promise<void>
  /** All, or the one of a name. */
  list(name?: string, page?: AccountPage): Promise<Group[]>
  addTeam(name: string): Promise<void>
  removeTeam(name: string): Promise<void>
  /** Of all organisations, or of one. */
  listTeams(organisation?: string, page?: AccountPage): Promise<Group[]>
  /**
   * Makes an account a member, or a member something else. Owners are there in organisations alone; a team has members of its
   * organisation, and robots of it.
   */
  setMember(group: string, name: string, role: MemberRole): Promise<void>
  /** From an organisation: from its teams, too. */
  removeMember(group: string, name: string): Promise<void>
}

export function createOrganisations(meta: MetaStore): Organisations {
  const listGroups = async (kind: AccountKind, page: AccountPage & { owner?: string }): Promise<Group[]> => {
    const groups: Group[] = []
    for (const { name, grants } of await meta.listAccounts(kind, page)) {
      groups.push({ name, grants, members: (await meta.listMembers(name)) ?? [] })
    }
    return groups
  }
  return {
    async add(name, { owner, adopt } = {}) {
      checkName('organisation', name)
      const outcome = await meta.addAccount({ kind: 'organisation', name, adopt, firstOwner: owner })
      if (outcome !== 'added') throw notAdded('organisation', name, outcome)
    },
    async remove(name) {
      const outcome = await meta.removeAccount(name, 'organisation')
      if (outcome === 'absent') throw missing(name)
      if (outcome === 'removed') return
      throw new BaleError('CONFLICT', `organisation ${name} has repositories, for example ${outcome.needed}`, {
        hint: 'delete their tags and collect first',
      })
    },
    list: (name, page) => listGroups('organisation', { ...page, owner: name }),
    async addTeam(name) {
      checkName('team', name)
      const outcome = await meta.addAccount({ kind: 'team', name, owner: ownerOf(name), adopt: true })
      if (outcome !== 'added') throw notAdded('team', name, outcome)
    },
    async removeTeam(name) {
      if ((await meta.removeAccount(name, 'team')) !== 'removed') throw missing(name)
    },
    listTeams: (organisation, page) => listGroups('team', { ...page, owner: organisation }),
    async setMember(group, name, role) {
      if (role === 'owner' && ownerOf(group) !== undefined) {
        throw new BaleError(
          'INVALID_ARGUMENT',
          `${printable(group, 150)} is a team: owners are those of its organisation`,
        )
      }
      await setMember(meta, group, name, role)
    },
    removeMember: (group, name) => setMember(meta, group, name, undefined),
  }
}

async function setMember(meta: MetaStore, group: string, name: string, role: MemberRole | undefined): Promise<void> {
  const outcome = await meta.setMember(group, name, role)
  if (outcome === 'set') return
  if (outcome.missing === group) throw missing(group)
  const [who, organisation] = [printable(name, 150), ownerOf(group)]
  if (role === undefined) throw new BaleError('NOT_FOUND', `${who} is not a member of ${group}`)
  throw organisation === undefined
    ? new BaleError('NOT_FOUND', `there is no user ${who}`, { next: { act: 'list-registry-users' } })
    : new BaleError('NOT_FOUND', `${who} is not a member of ${organisation}, whose team this is`, {
        hint: 'add it to the organisation first',
      })
}

/** Why an account was not made. */
export function notAdded(kind: AccountKind, name: string, outcome: { taken: string } | { missing: string }): BaleError {
  if ('missing' in outcome) return missing(outcome.missing)
  if (outcome.taken === name) return new BaleError('CONFLICT', `there is ${name} already`)
  return new BaleError('CONFLICT', `${kind} ${name} would get ${outcome.taken}, which is there already`, {
    next: { act: 'adopt-repositories' },
  })
}

/** NOT_FOUND: such an account is not there. */
export function missing(name: string): BaleError {
  const kind = name.includes('/') ? 'team' : name.includes('+') ? 'robot' : 'such organisation or user as'
  return new BaleError('NOT_FOUND', `there is no ${kind} ${printable(name, 150)}`)
}
