import { isBaleError } from '#base'
import type { Digest } from '#spec'
import type { Principal } from '../auth/index.ts'
import type { Wanting } from '../gate/index.ts'
import { principalName } from './authorize.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'

/**
 * Throws IMAGE_BLOCKED when gates keep a manifest from a caller who may read the repository. A HEAD is always answered: it gives nothing out
 * but that there is something, pushes rely on it, and clients show the reason of a GET alone.
 */
export async function releaseManifest(
  context: RegistryContext,
  exchange: Exchange,
  {
    principal,
    repository,
    digest,
    generation,
  }: { principal: Principal; repository: string; digest: Digest; generation?: number | undefined },
): Promise<void> {
  if (exchange.request.method === 'HEAD') return
  const wanting = wantingOf(context, exchange, principal)
  try {
    await context.gate.checkManifest(repository, digest, wanting, generation)
  } catch (error) {
    // Whoever signs an image reads its manifest first, with a token for reading.
    const isUnsigned = isBaleError(error, 'IMAGE_BLOCKED') && error.details['isUnsigned'] === true
    if (isUnsigned && (await context.access.decide(principal, 'push', { repository })) !== 'denied') return
    throw asTold(context, exchange, error)
  }
}

/** The same for a blob. */
export async function releaseBlob(
  context: RegistryContext,
  exchange: Exchange,
  { principal, repository, digest }: { principal: Principal; repository: string; digest: Digest },
): Promise<void> {
  if (exchange.request.method === 'HEAD') return
  try {
    await context.gate.checkBlob(repository, digest, wantingOf(context, exchange, principal))
  } catch (error) {
    throw asTold(context, exchange, error)
  }
}

/** Where more is said: whoever may pull the image may read the report. */
function asTold({ origin }: RegistryContext, { request }: Exchange, error: unknown): unknown {
  if (!isBaleError(error, 'IMAGE_BLOCKED')) return error
  const { repository, digest, policy, pattern, ids } = error.details
  const report = `${origin.url(request)}/api/v1/images/${encodeURIComponent(`${repository}@${digest}`)}/scans`
  const detail = { repository, digest, policy, pattern, ids, report }
  return new Refusal(403, 'DENIED', `${error.message}; report: ${report}`, { detail })
}

/** Whether a caller may have a blob of another repository put into its own. What is kept from it looks as if it were not there. */
export async function isReleased(
  context: RegistryContext,
  exchange: Exchange,
  { principal, repository, digest }: { principal: Principal; repository: string; digest: Digest },
): Promise<boolean> {
  const { outcome } = await context.gate.judgeBlob(repository, digest, wantingOf(context, exchange, principal))
  return outcome === 'allowed'
}

function wantingOf({ origin }: RegistryContext, { request, response }: Exchange, principal: Principal): Wanting {
  return {
    actor: principalName(principal),
    address: origin.address(request),
    isGone: () => response.destroyed,
  }
}
