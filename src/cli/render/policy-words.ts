import { formatPeriod } from '../flags/period.ts'

interface TagParts {
  tags: string[]
  except?: string[]
  last?: number
  within?: number
}

interface ContentParts {
  allow: string[]
  block: string[]
}

/** What a policy of a registry says: `v* except v*-rc`, `the last 10, pushed within 30d, latest`, `base/debian:12 alone`. */
export function policyWords(policy: TagParts | ContentParts): string {
  return 'tags' in policy ? tagWords(policy) : contentWords(policy)
}

function contentWords({ allow, block }: ContentParts): string {
  const allowed = allow.length > 0 ? [`${allow.join(', ')} alone`] : []
  return [...allowed, ...(block.length > 0 ? [`no ${block.join(', ')}`] : [])].join('; ')
}

function tagWords({ tags, except = [], last, within }: TagParts): string {
  const kept = [
    ...(last === undefined ? [] : [`the last ${last}`]),
    ...(within === undefined ? [] : [`pushed within ${formatPeriod(within)}`]),
    ...tags,
  ]
  return kept.join(', ') + (except.length > 0 ? ` except ${except.join(', ')}` : '')
}
