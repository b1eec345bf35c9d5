import { BaleError, type OperationOptions, printable } from '#base'
import { type Descriptor, type Digest, familiarName, type Reference } from '#spec'
import type { Repository } from '#transport'
import {
  type Judgement,
  judgeSignatures,
  type RepositoryRule,
  readCertificates,
  readSignaturePolicy,
  readTrustRoot,
  readVerificationKey,
  requireTrusted,
  type TrustedSigner,
  type Verification,
  verifyImage,
} from '#trust/signature'
import type { EngineContext } from '../context/context.ts'
import { readGiven } from './read-given.ts'
import { openNamed, predicateTypeOf } from './sign.ts'

/** Whose signature an image must have. */
export interface VerifyImageOptions extends OperationOptions {
  /** Paths of public keys; one of them is enough. */
  keys?: readonly string[]
  /** Who logged in to sign: an address, the login service, and the path of a trusted_root.json. */
  identity?: { subject: string; issuer: string; trustedRoot: string }
  /** Path of certificates of authorities, for signatures of Notation. */
  authorities?: string
  /** Path of a policy, in place of all of the above. */
  policy?: string
  /** An attestation of this type is wanted, and not a signature. */
  type?: string
  /** `match` by default. */
  repository?: RepositoryRule
  notOlderThan?: Date
  /** Annotations that the signature must have. */
  annotations?: Readonly<Record<string, string>>
}

/** An image with a signature that counts. */
export interface VerifiedImage {
  name: string
  digest: Digest
  verification?: Verification
  judgement?: Judgement
}

/**
 * Looks for signatures of what a name refers to in its registry now. Throws UNTRUSTED when none counts, with the reason of
 * each that does not.
 */
export async function verifyNamed(
  context: EngineContext,
  text: string,
  options: VerifyImageOptions,
): Promise<VerifiedImage> {
  const { signal } = options
  const policy = options.policy === undefined ? undefined : await readSignaturePolicy(options.policy)
  const signers = policy ? [] : await signersOf(options)
  await using found = await openNamed(context, text, { signal })
  const { reference, repository, target } = found
  const name = familiarName(reference)
  const { digest } = target.descriptor
  if (policy) {
    const image = { name: reference, descriptor: target.descriptor }
    const judgement = await judgeSignatures(policy, image, repository, { signal, clock: context.clock })
    requireTrusted(judgement, name)
    return { name, digest, judgement }
  }
  const predicateType = options.type === undefined ? undefined : predicateTypeOf(options.type)
  const requirements = { signers, predicateType, repository: options.repository, notOlderThan: options.notOlderThan }
  const all = await verifyImage(target.descriptor, repository, requirements, {
    repository: reference,
    clock: context.clock,
    signal,
  })
  const verification = withAnnotations(all, options.annotations ?? {})
  if (verification.verified.length > 0) return { name, digest, verification }
  throw untrusted(name, digest, verification)
}

/** Checks that one of the keys signed a descriptor, for callers that fetch its content themselves. Throws UNTRUSTED. */
export function verifierOf(
  context: EngineContext,
  {
    repository,
    reference,
    keys,
    signal,
  }: OperationOptions & { repository: Repository; reference: Reference; keys: readonly string[] },
): (descriptor: Descriptor) => Promise<void> {
  return async (descriptor) => {
    const requirements = { signers: await signersOf({ keys }) }
    const options = { repository: reference, clock: context.clock, signal }
    const verification = await verifyImage(descriptor, repository, requirements, options)
    if (verification.verified.length === 0) throw untrusted(familiarName(reference), descriptor.digest, verification)
  }
}

async function signersOf({ keys = [], identity, authorities }: VerifyImageOptions): Promise<TrustedSigner[]> {
  const signers: TrustedSigner[] = []
  for (const path of keys)
    signers.push({ kind: 'key', name: path, key: readVerificationKey((await readGiven(path, SMALL)).toString(), path) })
  if (identity) {
    const { subject, issuer, trustedRoot } = identity
    const root = await readTrustRoot(await readGiven(trustedRoot, SMALL), trustedRoot)
    signers.push({ kind: 'identity', name: subject, subject, issuer, root })
  }
  if (authorities !== undefined) {
    const certificates = readCertificates((await readGiven(authorities, SMALL)).toString(), authorities)
    signers.push({ kind: 'certificate', name: authorities, authorities: certificates })
  }
  if (signers.length > 0) return signers
  throw new BaleError('INVALID_ARGUMENT', 'it is not said whose signature counts')
}

const SMALL = 4 * 1024 * 1024

function withAnnotations(all: Verification, wanted: Readonly<Record<string, string>>): Verification {
  const fits = ({ annotations }: Verification['verified'][number]) =>
    Object.entries(wanted).every(([name, value]) => Object.hasOwn(annotations, name) && annotations[name] === value)
  const lacking = all.verified
    .filter((one) => !fits(one))
    .map(({ form, attachment }) => ({ form, attachment, reason: 'has other annotations' }))
  return { ...all, verified: all.verified.filter(fits), refused: [...all.refused, ...lacking] }
}

function untrusted(name: string, digest: Digest, { refused }: Verification): BaleError {
  const reasons = refused.slice(0, SHOWN).map(({ form, reason }) => `a ${form} ${printable(reason, 300)}`)
  const more = refused.length > SHOWN ? `, and ${refused.length - SHOWN} more` : ''
  const why = refused.length === 0 ? 'no signature is attached' : `no signature counts: ${reasons.join('; ')}${more}`
  return new BaleError('UNTRUSTED', `${name} (${digest}) is not verified: ${why}`)
}

const SHOWN = 5
