import { BaleError } from '#base'
import { binarySize } from '#docker'

/** What is in repositories. A blob or manifest counts in each repository that has it. */
export interface Usage {
  /** Of blobs and manifests, and what unfinished uploads hold. */
  bytes: number
  tags: number
  repositories: number
}

export const USAGE_KINDS = ['bytes', 'tags', 'repositories'] as const
export type UsageKind = (typeof USAGE_KINDS)[number]

/** The most that may be in a repository (`acme/web`), in all below a name (`acme/**`), or in all (`**`). */
export interface Quota extends Partial<Usage> {
  scope: string
}

/** About what a transaction has added. */
export interface GrowthFacts {
  quota: Quota
  /** What the scope of the quota has, with what was added. */
  used: Usage
  growth: Usage
}

/** The limits that what was added can pass: who removes something, or adds nothing, may be above them. */
export function limitsOn(quota: Quota, growth: Usage): UsageKind[] {
  return USAGE_KINDS.filter((kind) => growth[kind] > 0 && quota[kind] !== undefined)
}

/** QUOTA_EXCEEDED, by the first limit that is passed. */
export function objectionToGrowth({ quota, used, growth }: GrowthFacts): BaleError | undefined {
  const over = limitsOn(quota, growth).find((kind) => used[kind] > quota[kind]!)
  return over && quotaExceeded({ quota, kind: over, used: used[over], added: growth[over] })
}

const SINGULAR = { tags: 'tag', repositories: 'repository' }

function quotaExceeded(what: { quota: Quota; kind: UsageKind; used: number; added: number }): BaleError {
  const { quota, kind, used, added } = what
  const words = (count: number) =>
    kind === 'bytes' ? binarySize(count) : `${count} ${count === 1 ? SINGULAR[kind] : kind}`
  return new BaleError(
    'QUOTA_EXCEEDED',
    `the quota of ${quota.scope} is ${words(quota[kind]!)}: ${words(used - added)} ${used - added === 1 && kind !== 'bytes' ? 'is' : 'are'} used, and this needs ${words(added)} more`,
    { details: { scope: quota.scope, kind, limit: quota[kind], used: used - added, needed: added } },
  )
}
