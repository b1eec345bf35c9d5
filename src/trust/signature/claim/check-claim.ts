import { BaleError, printable } from '#base'
import type { Descriptor } from '#spec'
import type { Claim, VerificationContext } from './claim.ts'

/** The error of a signature that does not count. The reason continues `the signature …`. */
export function untrusted(reason: string, cause?: unknown): BaleError {
  return new BaleError('UNTRUSTED', reason, { cause })
}

/** Whether a signature is about the image. */
export function checkDigest(named: readonly string[], { digest }: Descriptor): void {
  if (named.includes(digest)) return
  const other = named.length === 0 ? 'no digest' : printable(named.slice(0, 3).join(', '), 240)
  throw untrusted(`is about ${other}, not about ${digest}`)
}

/** Whether a valid signature is about this repository, and recent enough. Throws UNTRUSTED. */
export function checkClaim({ repositories, signedAt }: Claim, context: VerificationContext): void {
  checkRepository(repositories, context)
  checkAge(signedAt, context)
}

function checkRepository(repositories: Claim['repositories'], { repository, requirements }: VerificationContext): void {
  const rule = requirements.repository ?? 'match'
  if (rule === 'any') return
  const named = repositories.filter((one) => one !== undefined)
  if (repository !== undefined && named.includes(repository)) return
  if (rule === 'match' && named.length < repositories.length) return
  const own = repository ?? 'an image without a name'
  if (named.length === 0) throw untrusted(`names no repository, and one that names ${own} is required`)
  throw untrusted(`was made for ${printable(named.slice(0, 3).join(', '), 240)}, not for ${own}`)
}

/** Clocks differ. */
const TOLERANCE = 10 * 60_000

function checkAge(signedAt: Date | undefined, { requirements: { notOlderThan }, now }: VerificationContext): void {
  if (notOlderThan === undefined) return
  if (signedAt === undefined) {
    throw untrusted(`does not say when it was made, and none before ${written(notOlderThan)} counts`)
  }
  if (signedAt < notOlderThan) {
    throw untrusted(`was made at ${written(signedAt)}, and none before ${written(notOlderThan)} counts`)
  }
  if (signedAt.getTime() > now + TOLERANCE) throw untrusted(`was made at ${written(signedAt)}, which is in the future`)
}

function written(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z')
}
