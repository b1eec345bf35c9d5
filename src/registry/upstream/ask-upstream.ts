import { type BaleError, isBaleError } from '#base'
import type { Repository } from '#transport'
import type { CacheParts } from './cache-parts.ts'
import { failureKind, upstreamError } from './upstream-failure.ts'
import type { UpstreamName } from './upstream-names.ts'

/** Asks an upstream for something of a repository. Undefined when it has no such thing; else throws as `upstreamError`. */
export async function askUpstream<T>(
  { registryOf, report }: Pick<CacheParts, 'registryOf' | 'report'>,
  name: UpstreamName,
  ask: (repository: Repository) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await registryOf(name).use(name.there, ask)
  } catch (thrown) {
    if (failureKind(thrown) === 'absent') return undefined
    const error = upstreamError(thrown, name)
    if (isOperators(thrown)) report(error, `asking for ${name.here}`)
    throw error
  }
}

/** A login that is wrong, or that would have gone elsewhere; what a right one may not have is what clients ask for. */
function isOperators(error: unknown): error is BaleError {
  return isBaleError(error, 'UNAUTHORIZED') && (error.details['status'] === undefined || isRefusedLogin(error))
}

const isRefusedLogin = ({ next }: BaleError) => next?.act === 'login' && next.because === 'refused'
