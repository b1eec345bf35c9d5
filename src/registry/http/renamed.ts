import type { Principal } from '../auth/index.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { asRefusal, Refusal } from './failure.ts'
import type { Route } from './route.ts'

type Answer = (exchange: Exchange, route: Route) => Promise<void>

/**
 * What was asked of a repository and refused is answered by the one that had its name, while that is redirected and for those who may
 * read it: pulls in place, since clients do not take their logins to another address, and all else with its new name. To
 * everybody else the answer is the refusal, as if there had never been another name (A01).
 */
export async function answerAsRenamed(
  context: RegistryContext,
  exchange: Exchange,
  { route, refused, answer }: { route: Route; refused: unknown; answer: Answer },
): Promise<void> {
  if (!('repository' in route) || !isAboutName(refused) || exchange.response.headersSent) throw refused
  const asked = route.repository
  const now = await newNameOf(context, exchange, asked)
  if (now === undefined) throw refused
  if (isRead(exchange, route)) return await answer({ ...exchange, asked }, { ...route, repository: now })
  throw new Refusal(403, 'DENIED', `${asked} was renamed to ${now}: push to that`, { detail: { name: now } })
}

/** What a repository that had the name is called now, when the caller may read it. */
export async function newNameOf(
  context: RegistryContext,
  exchange: Exchange,
  asked: string,
): Promise<string | undefined> {
  const principal = principalOf(exchange)
  const now = principal && (await context.meta.findRedirect(asked))
  if (!principal || now === undefined) return undefined
  const decision = await context.access.decide(principal, 'pull', { repository: now, asked })
  return decision === 'denied' ? undefined : now
}

function isAboutName(refused: unknown): boolean {
  return [401, 403, 404].includes(asRefusal(refused).status)
}

function isRead({ request }: Exchange, { kind }: Route): boolean {
  return (request.method === 'GET' || request.method === 'HEAD') && kind !== 'upload' && kind !== 'uploads'
}

function principalOf({ authentication }: Exchange): Principal | undefined {
  if (authentication.kind === 'known') return authentication.principal
  return authentication.kind === 'anonymous' ? {} : undefined
}
