import {
  asError,
  type Clock,
  isBaleError,
  mapLimited,
  type OperationOptions,
  printable,
  readAll,
  systemClock,
} from '#base'
import { verifying } from '#blob'
import { type Descriptor, type Digest, type Reference, repositoryName } from '#spec'
import type { AttachmentSource } from '../attachment/index.ts'
import { type Claim, checkClaim, type Requirements, untrusted, type VerificationContext } from '../claim/index.ts'
import { type Candidate, findCandidates, type RefusedSignature, read, type SignatureForm } from './candidates.ts'

/** A signature of somebody trusted that meets all requirements. */
interface VerifiedSignature extends Claim {
  form: SignatureForm
  /** The manifest that holds it. */
  attachment: Digest
}

/** The result of a verification: the signatures that count, and why the others do not. */
export interface Verification {
  /** Of the image or index that was verified. */
  subject: Digest
  verified: readonly VerifiedSignature[]
  refused: readonly RefusedSignature[]
}

/** What a verification needs to know besides. */
interface VerifyOptions extends OperationOptions {
  /** Where the image is; undefined for an image that has no name. */
  repository: Pick<Reference, 'registry' | 'repository'> | undefined
  clock?: Clock
}

/** Of all signatures and attestations together: those that come after are not read. */
const MOST_BYTES = 64 << 20
const AT_ONCE = 4

/**
 * Looks at all signatures that are attached to an image (or an index), in all forms, and says which of them count, and why
 * the others do not. It is about the digest: a tag that is moved to an older image, signed in its time, passes; only
 * `notOlderThan` refuses that, or comparing with the digest that was seen last.
 * Failures that say nothing of a signature (network, login, cancelled) are thrown.
 */
export async function verifyImage(
  subject: Descriptor,
  attachments: AttachmentSource,
  requirements: Requirements,
  { repository, clock = systemClock, ...options }: VerifyOptions,
): Promise<Verification> {
  const named = repository && repositoryName(repository)
  const context: VerificationContext = { subject, repository: named, requirements, now: clock.now() }
  const { candidates, refused } = await findCandidates(attachments, context, options)
  let bytes = 0
  const verified = await mapLimited(
    candidates,
    AT_ONCE,
    ({ form, attachment, ...candidate }, { signal }) =>
      read(refused, { form, attachment }, async (): Promise<VerifiedSignature> => {
        const {
          layer: { size },
          limit,
        } = candidate
        // Before it counts: one that lies about its size must not use up what the others need.
        if (size > limit) throw untrusted(`is too large: ${size} bytes, and at most ${limit} are read`)
        bytes += size
        if (bytes > MOST_BYTES) throw untrusted(`was not looked at: the signatures take more than ${MOST_BYTES} bytes`)
        const layer = await layerOf(attachments, candidate, { ...options, signal })
        const claim = await claimOf(candidate, layer, context)
        checkClaim(claim, context)
        return { ...claim, form, attachment }
      }),
    options,
  )
  return { subject: subject.digest, verified: verified.filter((one) => one !== undefined), refused }
}

/** Any error of a parser makes this signature invalid; the others must still be checked. */
async function claimOf(
  candidate: Pick<Candidate, 'verify'>,
  layer: Uint8Array,
  context: VerificationContext,
): Promise<Claim> {
  try {
    return await candidate.verify(layer, context)
  } catch (error) {
    if (isBaleError(error)) throw error
    throw untrusted(`cannot be read: ${printable(asError(error).message, 200)}`, error)
  }
}

async function layerOf(
  source: AttachmentSource,
  { layer, limit }: Pick<Candidate, 'layer' | 'limit'>,
  options: OperationOptions,
): Promise<Uint8Array> {
  return readAll(verifying(await source.blob(layer, options), layer), { limit })
}
