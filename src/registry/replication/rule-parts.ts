import { isReferrerTag } from '../meta/index.ts'
import { matchesPattern } from '../pattern/index.ts'
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
export function isOwnTag(rule: Rule, tag: string): boolean {
  if (isList(rule, tag)) return false
  return rule.kept.tags.some((glob) => matchesPattern(glob, tag))
}

/** A tag such as `sha256-….sig`, which follows the image that it is about. */
export function isFollowingTag(rule: Rule, tag: string): boolean {
  return rule.kept.referrers && isReferrerTag(tag) && !isList(rule, tag)
}

/** Registries without the referrers API have lists under tags, which are of no use here: this registry makes its own. */
const isList = ({ kept }: Rule, tag: string) => kept.direction === 'pull' && /^sha(?:256|512)-[0-9a-f]{64}$/.test(tag)
