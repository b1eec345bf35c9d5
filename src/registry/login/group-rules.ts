import type { Identity } from '../auth/index.ts'
import type { MemberRole } from '../meta/index.ts'

/** What being in a group elsewhere means in the registry. */
export interface GroupRule {
  /** A group as it is called there. */
  group: string
  /** An organisation (`acme`) or team (`acme/web`) that its members are in. */
  member?: { name: string; role: MemberRole }
  /** They are administrators of the registry. */
  administrators?: boolean
}

/** What a directory's groups mean in the registry. */
interface GroupRules {
  /** Organisations and teams that the rules are about. */
  ruled: readonly string[]
  /** What somebody is who is in the groups that `isIn` says. */
  apply(isIn: (group: string) => boolean): Pick<Identity, 'admin' | 'groups'>
}

export function createGroupRules(rules: readonly GroupRule[]): GroupRules {
  const saysAdmin = rules.some(({ administrators }) => administrators)
  return {
    ruled: [...new Set(rules.flatMap(({ member }) => (member ? withOrganisation(member.name) : [])))],
    apply(isIn) {
      const fitting = rules.filter(({ group }) => isIn(group))
      const admin = fitting.some(({ administrators }) => administrators === true)
      return { ...(saysAdmin && { admin }), groups: groupsOf(fitting) }
    },
  }
}

/** Of an organisation and its team, both: who is in a team is a member of its organisation. */
function withOrganisation(name: string): string[] {
  const slash = name.indexOf('/')
  return slash < 0 ? [name] : [name.slice(0, slash), name]
}

/** The most that the rules give. */
function groupsOf(rules: readonly GroupRule[]): { name: string; role: MemberRole }[] {
  const roles = new Map<string, MemberRole>()
  for (const { member } of rules) {
    if (!member) continue
    for (const name of withOrganisation(member.name)) {
      const role = name === member.name ? member.role : 'member'
      if (roles.get(name) !== 'owner') roles.set(name, role)
    }
  }
  return [...roles].map(([name, role]) => ({ name, role }))
}
