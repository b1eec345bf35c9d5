import { BaleError } from '#base'
import { boundsOf, matchesPattern } from '../pattern/index.ts'
import type { Administration } from './administration.ts'
import type { Caller } from './operation.ts'
import { isBelow } from './who.ts'

/** DENIED for owners where a gate of administrators applies: only administrators may make exceptions to it. */
export async function checkOwnGates(admin: Administration, { names }: Caller, pattern: string): Promise<void> {
  if (names === undefined) return
  const other = (await admin.policies.list()).find(
    (policy) => policy.kind === 'gate' && !isBelow(names, policy.pattern) && mayMeet(policy.pattern, pattern),
  )
  if (!other) return
  throw new BaleError(
    'DENIED',
    `the gate for ${other.pattern} belongs to the administrators; only they can let images past it`,
  )
}

/** Whether some name may match both patterns. Exact when one of them has no star. */
function mayMeet(one: string, other: string): boolean {
  if (!other.includes('*')) return matchesPattern(one, other)
  if (!one.includes('*')) return matchesPattern(other, one)
  const [a, b] = [boundsOf(one), boundsOf(other)]
  return a.from < b.to && b.from < a.to
}
