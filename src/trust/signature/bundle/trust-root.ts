import { BaleError, printable } from '#base'
import { parseStrictJson } from '#spec'
import type { TrustRoot } from '../claim/index.ts'

/** That of the public instance has 60 KiB. */
const LIMIT = 4 << 20

/**
 * Reads the trusted_root.json of a Sigstore instance: authorities that give certificates and times, and the logs. Who signs
 * for whom is not in it, so the user chooses and keeps it. `what` names it in messages. INVALID_ARGUMENT.
 */
export async function readTrustRoot(bytes: Uint8Array, what = 'the trusted root'): Promise<TrustRoot> {
  const json = parseStrictJson(bytes, { limit: LIMIT, what, code: 'INVALID_ARGUMENT' })
  const mediaType = (json as { mediaType?: unknown } | null)?.mediaType
  if (typeof mediaType !== 'string' || !mediaType.startsWith('application/vnd.dev.sigstore.trustedroot')) {
    throw new BaleError('INVALID_ARGUMENT', `${what} is not a trusted root of Sigstore (trusted_root.json)`)
  }
  const [{ TrustedRoot }, { toTrustMaterial }] = await Promise.all([
    import('@sigstore/protobuf-specs'),
    import('@sigstore/verify'),
  ])
  try {
    const material = toTrustMaterial(TrustedRoot.fromJSON(json))
    if (material.certificateAuthorities.length > 0) return { material }
  } catch (error) {
    const reason = printable(String((error as Error).message), 200)
    throw new BaleError('INVALID_ARGUMENT', `${what} is damaged: ${reason}`, { cause: error })
  }
  throw new BaleError('INVALID_ARGUMENT', `${what} names no authority that gives certificates`)
}
