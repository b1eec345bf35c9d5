import { BaleError } from '#base'
import { matchesPattern } from '../pattern/index.ts'
import type { ImmutableTags, KeptTags, TagPolicy } from './rules.ts'

/** About a tag that would point to something else, or be removed. */
export interface TagFacts {
  repository: string
  tag: string
  /** All that may be about the repository. */
  policies: readonly TagPolicy[]
}

/** About a tag that nobody has pushed for a while. */
export interface ExpiryFacts extends TagFacts {
  /** Since it was last pushed, in milliseconds. */
  age: number
  /** Its number among the tags of the repository, from 1, the one that was pushed last. */
  place: number
}

/** TAG_IMMUTABLE, by the first policy that keeps the tag where it is. */
export function objectionToMove({ repository, tag, policies }: TagFacts): BaleError | undefined {
  for (const policy of policies) {
    if (policy.kind !== 'immutable' || !matchesPattern(policy.pattern, repository)) continue
    if (isImmutable(policy, tag)) return tagImmutable(repository, tag, policy)
  }
  return undefined
}

/** Whether the tag stays: policies keep it, it is immutable, or no policy keeps any tags of the repository. */
export function isKept(facts: ExpiryFacts): boolean {
  const keeping = retentionOf(facts.repository, facts.policies)
  return keeping.length === 0 || keeping.some((policy) => keeps(policy, facts)) || objectionToMove(facts) !== undefined
}

/** The policies that keep tags of a repository. */
export function retentionOf(repository: string, policies: readonly TagPolicy[]): (KeptTags & { id: number })[] {
  return policies
    .filter((policy) => policy.kind === 'keep')
    .filter(({ pattern }) => matchesPattern(pattern, repository))
}

function isImmutable({ tags, except }: ImmutableTags, tag: string): boolean {
  const within = (globs: string[]) => globs.some((glob) => matchesPattern(glob, tag))
  return within(tags) && !within(except)
}

function keeps({ last = 0, within, tags }: KeptTags, { tag, age, place }: ExpiryFacts): boolean {
  return place <= last || (within !== undefined && age <= within) || tags.some((glob) => matchesPattern(glob, tag))
}

function tagImmutable(repository: string, tag: string, policy: ImmutableTags & { id: number }): BaleError {
  const { id, pattern, tags } = policy
  return new BaleError(
    'TAG_IMMUTABLE',
    `tag ${tag} of ${repository} is immutable: policy ${id} protects ${tags.join(' ')} in ${pattern}`,
    { details: { repository, tag, policy: id, pattern } },
  )
}
