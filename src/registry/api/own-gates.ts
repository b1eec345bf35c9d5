import { BaleError } from '#base'
import { accountActor } from '../auth/index.ts'
import { boundsOf, matchesPattern } from '../pattern/index.ts'
import type { Administration } from './administration.ts'
import type { Caller } from './operation.ts'
import { isBelow } from './who.ts'

/**
 * DENIED for owners where a gate is about repositories of a pattern that is not theirs: they would let pass what administrators
 * keep back.
 */
export async function checkOwnGates(admin: Administration, { names }: Caller, pattern: string): Promise<void> {
  if (names === undefined) return
  const other = (await admin.policies.list()).find(
    (policy) => policy.kind === 'gate' && !isBelow(names, policy.pattern) && mayMeet(policy.pattern, pattern),
  )
  if (!other) return
  throw new BaleError('DENIED', `the gate of ${other.pattern} is of administrators, who alone let something pass it`)
}

/** DENIED for owners where somebody else put an image, or one of an index, into quarantine. */
export async function checkOwnQuarantine(admin: Administration, { names, name }: Caller, image: string): Promise<void> {
  if (names === undefined) return
  const said = (await admin.scans.report(image)).flatMap((one) => (one.said?.kind === 'quarantined' ? [one.said] : []))
  if (said.every(({ author }) => author === accountActor(name))) return
  throw new BaleError('DENIED', `somebody else put ${image} into quarantine, which administrators alone end`)
}

/** Whether there may be names that both patterns match: where one of them has no star, it is certain. */
function mayMeet(one: string, other: string): boolean {
  if (!other.includes('*')) return matchesPattern(one, other)
  if (!one.includes('*')) return matchesPattern(other, one)
  const [a, b] = [boundsOf(one), boundsOf(other)]
  return a.from < b.to && b.from < a.to
}
