import { BaleError } from '#base'
import { isRepository } from '#spec'
import { matchesPattern } from '../pattern/index.ts'
import type { Upstream } from './upstream-settings.ts'

/** A repository that comes from an upstream. */
export interface UpstreamName {
  upstream: Upstream
  /** Here: `docker.io/library/debian`. */
  here: string
  /** There: `library/debian`. */
  there: string
}

/** The upstream whose prefix a name has, the longest one that fits; undefined for a repository of this registry itself. */
export function findUpstream(upstreams: readonly Upstream[], repository: string): UpstreamName | undefined {
  let found: Upstream | undefined
  for (const one of upstreams) {
    const fits = repository.startsWith(`${one.prefix}/`)
    if (fits && (found === undefined || one.prefix.length > found.prefix.length)) found = one
  }
  if (!found) return undefined
  const rest = repository.slice(found.prefix.length + 1)
  const there = found.isHub && !rest.includes('/') ? `library/${rest}` : rest
  return { upstream: found, here: `${found.prefix}/${there}`, there }
}

/** `docker.io/library/debian` for `library/debian` of the upstream docker.io. Undefined when that would be too long for a name. */
export function nameBelow(upstreams: readonly Upstream[], prefix: string, repository: string): string | undefined {
  const name = findUpstream(upstreams, `${prefix}/${repository}`)?.here
  return name !== undefined && isRepository(name) ? name : undefined
}

/** Throws MANIFEST_NOT_FOUND for a repository that may not come from its upstream. */
export function checkAllowed({ upstream, there }: UpstreamName): void {
  if (upstream.allow.some((pattern) => matchesPattern(pattern, there))) return
  throw new BaleError('MANIFEST_NOT_FOUND', `${there} is not among what this registry takes from ${upstream.prefix}`, {
    details: { upstream: upstream.prefix },
  })
}
