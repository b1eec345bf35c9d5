import { matchesPattern } from '../meta/index.ts'
import type { RemoteRegistry } from '../remote/index.ts'
import type { LocalParts } from './local-end.ts'
import type { Rule } from './replication-settings.ts'

/** What a rule works with. */
export interface RuleParts {
  local: LocalParts
  rule: Rule
  registry: RemoteRegistry
}

/** Who changes what a rule brings, for histories and the audit log. No account is called so. */
export const actorOf = ({ kept }: Rule) => `replication:${kept.name}`

/** A tag that the rule is about, and not only what follows one. */
export function isOwnTag({ kept }: Rule, tag: string): boolean {
  return kept.tags.some((glob) => matchesPattern(glob, tag))
}
