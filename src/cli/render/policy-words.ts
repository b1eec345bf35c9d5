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

interface GateParts {
  kind: 'gate'
  severity?: string
  onlyFixable?: boolean
  grace?: number
  unknown?: string
  notCovered?: string
  unscanned?: string | { wait: number }
  exploited?: string
  signers?: readonly unknown[]
  stale?: number
  staleAct?: string
  exempt?: readonly string[]
}

/**
 * What a policy of a registry says: `v* except v*-rc`, `the last 10, pushed within 30d, latest`, `base/debian:12 alone`, `blocks
 * high, if fixable, after 7d`.
 */
export function policyWords(policy: TagParts | ContentParts | GateParts): string {
  if ('tags' in policy) return tagWords(policy)
  return 'allow' in policy ? contentWords(policy) : gateWords(policy)
}

/** What it does not say is as gates do by default. */
function gateWords({
  severity = 'critical',
  onlyFixable,
  grace,
  unscanned,
  signers,
  stale,
  ...gate
}: GateParts): string {
  const { unknown, notCovered, exploited, staleAct = 'warn', exempt = [] } = gate
  return [
    severity === 'none' ? 'blocks no severity' : `blocks ${severity}${severity === 'critical' ? '' : ' and worse'}`,
    ...(onlyFixable ? ['if fixable'] : []),
    ...(grace ? [`after ${formatPeriod(grace)}`] : []),
    ...acts({ unrated: unknown, 'not covered': notCovered, exploited }),
    ...(typeof unscanned === 'object' ? [`unscanned: wait ${formatPeriod(unscanned.wait)}`] : acts({ unscanned })),
    ...(signers ? [`signed by ${signers.length === 1 ? 'a key' : `one of ${signers.length} keys`}`] : []),
    ...(stale === undefined ? [] : [`data older than ${formatPeriod(stale)}: ${staleAct}`]),
    ...(exempt.length > 0 ? [`not for ${exempt.join(', ')}`] : []),
  ].join('; ')
}

const acts = (said: Readonly<Record<string, string | undefined>>) =>
  Object.entries(said).flatMap(([what, act]) => (act === undefined ? [] : [`${what}: ${act}`]))

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
