import { formatPeriod } from '../flags/period.ts'

interface PolicyParts {
  tags: string[]
  except?: string[]
  last?: number
  within?: number
}

/** What a policy of a registry says about tags: `v* except v*-rc`, `the last 10, pushed within 30d, latest`. */
export function policyWords({ tags, except = [], last, within }: PolicyParts): string {
  const kept = [
    ...(last === undefined ? [] : [`the last ${last}`]),
    ...(within === undefined ? [] : [`pushed within ${formatPeriod(within)}`]),
    ...tags,
  ]
  return kept.join(', ') + (except.length > 0 ? ` except ${except.join(', ')}` : '')
}
