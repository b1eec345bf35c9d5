import { isBaleError, printable } from '#base'
import type { Digest } from '#spec'
import type { Principal } from '../auth/index.ts'
import type { Wanting } from '../gate/index.ts'
import { principalName } from './authorize.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'

interface Wanted {
  principal: Principal
  repository: string
  digest: Digest
  /** What was read along with it. */
  generation?: number | undefined
}

/**
 * Throws IMAGE_BLOCKED when gates withhold a manifest from a caller who may read the repository. A HEAD is always answered: it reveals only
 * that the image exists, pushes rely on it, and clients show the reason for a refused GET only.
 */
export async function releaseManifest(
  context: RegistryContext,
  exchange: Exchange,
  { principal, repository, digest, generation }: Wanted,
): Promise<void> {
  if (exchange.request.method === 'HEAD') return
  const wanting = wantingOf(context, exchange, principal)
  try {
    const warnings = await context.gate.checkManifest(repository, digest, wanting, generation)
    for (const one of warnings.slice(0, MOST_WARNINGS)) exchange.response.appendHeader('Warning', warningOf(one))
  } catch (error) {
    // Signing an image begins with reading its manifest, with a token for pulls.
    const isUnsigned = isBaleError(error, 'IMAGE_BLOCKED') && error.details['isUnsigned'] === true
    if (isUnsigned && (await context.access.decide(principal, 'push', { repository })) !== 'denied') return
    throw asTold(context, exchange, error)
  }
}

const MOST_WARNINGS = 3

/** Source: RFC 7234, section 5.5: 299 is a persistent warning of any kind. */
function warningOf(text: string): string {
  return `299 - "${printable(text, 200).replaceAll(/[^\x20-\x7e]|["\\]/g, '?')}"`
}

/** The same for a blob. */
export async function releaseBlob(
  context: RegistryContext,
  exchange: Exchange,
  { principal, repository, digest, generation }: Wanted,
): Promise<void> {
  if (exchange.request.method === 'HEAD') return
  try {
    await context.gate.checkBlob(repository, digest, wantingOf(context, exchange, principal), generation)
  } catch (error) {
    throw asTold(context, exchange, error)
  }
}

/** With a link to the report, which whoever may pull the image may read. */
function asTold({ origin }: RegistryContext, { request }: Exchange, error: unknown): unknown {
  if (!isBaleError(error, 'IMAGE_BLOCKED')) return error
  const { repository, digest, policy, pattern, ids } = error.details
  const report = `${origin.url(request)}/api/v1/images/${encodeURIComponent(`${repository}@${digest}`)}/scans`
  const detail = { repository, digest, policy, pattern, ids, report }
  return new Refusal(403, 'DENIED', `${error.message}; report: ${report}`, { detail })
}

/** Whether a caller may have a blob of another repository mounted. One that is withheld looks as if it were not there. */
export async function isReleased(
  context: RegistryContext,
  exchange: Exchange,
  { principal, repository, digest }: Wanted,
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
