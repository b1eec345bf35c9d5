import type { ServerResponse } from 'node:http'
import { formatDuration } from '#docker'
import type { Limited, RequestLimits } from '../rates/index.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'

/** Counts a request of the caller, or throws 429. To be called before anything is looked up, so that it tells nothing (A01). */
export function limitRequests(context: RegistryContext, exchange: Exchange, what: Limited): void {
  if (!context.limits) return
  const standing = context.limits.count(what, callerOf(context, exchange))
  if (!standing) return
  announce(exchange.response, standing)
  if (standing.wait === undefined) return
  context.observe?.({ kind: 'request-limited', what })
  throw tooMany(standing.limit, standing.wait)
}

/** Tells how the caller stands, which costs nothing: a HEAD is no pull. */
export function showLimit(context: RegistryContext, exchange: Exchange, what: Limited): void {
  const standing = context.limits?.look(what, callerOf(context, exchange))
  if (standing) announce(exchange.response, standing)
}

type Standing = NonNullable<ReturnType<RequestLimits['look']>>

/** As Docker Hub tells its limits; Source: draft-ietf-httpapi-ratelimit-headers-02, with the period as parameter `w`. */
function announce(response: ServerResponse, { limit, remaining }: Standing): void {
  const window = `w=${Math.ceil(limit.within / 1000)}`
  response.setHeader('RateLimit-Limit', `${limit.most};${window}`)
  response.setHeader('RateLimit-Remaining', `${remaining};${window}`)
}

/** Clients wait for as long as `Retry-After` says and try again. */
function tooMany({ most, what, within }: Standing['limit'], wait: number): Refusal {
  const seconds = Math.max(1, Math.ceil(wait / 1000))
  const message = `too many ${what}: at most ${most} in ${formatDuration(within * 1e6)}; try again in ${seconds} s`
  return new Refusal(429, 'TOOMANYREQUESTS', message, { headers: { 'Retry-After': seconds } })
}

/** Whose login is wrong counts as nobody. */
function callerOf({ origin }: RegistryContext, { request, authentication }: Exchange) {
  const account = authentication.kind === 'known' ? authentication.principal.account : undefined
  return { account, network: origin.network(request) }
}
