import { decide } from '../decide/index.ts'
import type { CachedRepository } from '../upstream/index.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'
import type { Route } from './route.ts'

/**
 * Gives a route the name that its repository has here, and the exchange the one that was asked for. Source of `ns`: containerd's mirrors
 * (docs/hosts.md), which send the path at the registry that they mirror, and that registry's name. Docker's mirrors send the path alone.
 */
export async function routeHere(context: RegistryContext, exchange: Exchange, route: Route): Promise<Route> {
  if (!context.upstreams || !('repository' in route)) return route
  const { repository } = route
  const name = await nameHere(context, exchange, repository)
  if (name === repository) return route
  exchange.asked = repository
  return { ...route, repository: name }
}

async function nameHere(context: RegistryContext, exchange: Exchange, repository: string): Promise<string> {
  const upstreams = context.upstreams!
  const namespace = exchange.query.get('ns')
  if (namespace !== null && !isOurs(context, exchange, namespace)) {
    const name = upstreams.named(namespace, repository)
    if (name !== undefined) return name
    throw new Refusal(404, 'NAME_UNKNOWN', 'nothing comes from that registry here', {
      detail: { ns: namespace.slice(0, 255) },
    })
  }
  const below = upstreams.find(repository)
  if (below) return below.name
  const mirrored = isReading(exchange) ? upstreams.mirrored(repository) : undefined
  return mirrored === undefined || (await isShown(context, exchange, repository)) ? repository : mirrored
}

function isOurs({ origin }: RegistryContext, { request }: Exchange, namespace: string): boolean {
  return new URL(origin.url(request)).host === namespace
}

const isReading = ({ request }: Exchange) => request.method === 'GET' || request.method === 'HEAD'

/** One that the caller may not read appears not to be there (A01): it comes from the mirrored registry like any other. */
async function isShown(context: RegistryContext, exchange: Exchange, repository: string): Promise<boolean> {
  const { authentication } = exchange
  const principal = authentication.kind === 'known' ? authentication.principal : {}
  if ((await context.access.decide(principal, 'pull', { repository })) === 'denied') return false
  return (await context.meta.listRepositories({ within: [repository], limit: 1 })).length === 1
}

/** The upstream's repository that a route is about, for a caller who may read it. Undefined for one of this registry itself. */
export function sourceOf(
  context: RegistryContext,
  { repository }: { repository: string },
): CachedRepository | undefined {
  const source = context.upstreams?.find(repository)
  source?.checkAllowed()
  return source
}

/** Refuses what would change what comes from elsewhere. */
export async function refuseCache(
  { prefixes }: RegistryContext,
  { repository }: { repository: string },
): Promise<void> {
  const refusal = await decide('anyone', 'place', { repository, prefixes })
  if (refusal) throw new Refusal(405, 'UNSUPPORTED', refusal.message, { headers: { Allow: 'GET, HEAD, DELETE' } })
}

/** Names under which an upstream's repository may be asked for besides its own: a token for those may be wanted. */
export function otherNames({ upstreams }: RegistryContext, repository: string): string[] {
  const below = upstreams?.find(repository)
  const other = below ? below.name : upstreams?.mirrored(repository)
  return other === undefined || other === repository ? [] : [other]
}
