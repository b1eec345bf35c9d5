/** A node of `EXPLAIN (ANALYZE, FORMAT JSON)`. */
export interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: Plan[]
}

/** More rows than any page or batch has. */
const MANY = 10_000

/** What in a plan grows with the number of rows that there are: what it reads in vain, or sorts, or reads whole. */
export function planFaults(plan: Plan): string[] {
  const loops = plan['Actual Loops']
  const inVain = ((plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0)) * loops
  const rows = plan['Actual Rows'] * loops
  const what = [plan['Node Type'], plan['Relation Name']].filter(Boolean).join(' of ')
  const own = [
    ...(inVain > MANY ? [`${what} reads ${inVain} rows in vain`] : []),
    ...(rows > MANY ? [`${what} has ${rows} rows`] : []),
  ]
  return [...own, ...(plan.Plans ?? []).flatMap(planFaults)]
}
