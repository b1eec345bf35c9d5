import { X509Certificate } from 'node:crypto'
import type { Bundle } from '@sigstore/bundle'
import type { Signer } from '@sigstore/verify'
import { fitsText, printable } from '#base'
import { type TrustedIdentity, type TrustRoot, untrusted, type VerificationContext } from '../claim/index.ts'
import type { Signed } from './signed-by-key.ts'

/**
 * The trusted identities that made the signature: an authority of a trusted root gave the certificate for a login of that
 * subject at that service, and a log or a time stamp of the same root proves that it was used while it was valid.
 * Throws UNTRUSTED.
 */
export async function signedByIdentity(bundle: Bundle, { requirements }: VerificationContext): Promise<Signed> {
  const identities = requirements.signers.filter((one) => one.kind === 'identity')
  if (identities.length === 0) throw untrusted('was made with a certificate, and no identity is trusted')
  const signers = new Map<TrustRoot, Signer['identity']>()
  const reasons: string[] = []
  for (const { root } of identities) {
    if (signers.has(root)) continue
    const signer = await identityOf(bundle, root)
    if (typeof signer === 'string') reasons.push(signer)
    else signers.set(root, signer)
  }
  if (signers.size === 0) throw untrusted(`does not fit: ${reasons[0]}`)
  const by = identities.filter((one) => isIdentity(one, signers.get(one.root)))
  const [found] = signers.values()
  const who = `${printable(found?.subjectAlternativeName ?? 'nobody', 200)} (${printable(found?.extensions?.issuer ?? 'no issuer', 200)})`
  if (by.length === 0) throw untrusted(`was made by ${who}, who is not trusted`)
  return { by, who, signedAt: certificateOf(bundle).validFromDate }
}

/** The identity in the certificate, or why the bundle is not valid by this root. */
async function identityOf(bundle: Bundle, { material }: TrustRoot): Promise<Signer['identity'] | string> {
  const { toSignedEntity, Verifier } = await import('@sigstore/verify')
  // A private instance may have no logs; then its time stamps prove when it was signed.
  const thresholds = {
    tlogThreshold: material.tlogs.length > 0 ? 1 : 0,
    ctlogThreshold: material.ctlogs.length > 0 ? 1 : 0,
    timestampThreshold: 1,
  }
  try {
    return new Verifier(material, thresholds).verify(toSignedEntity(bundle)).identity
  } catch (error) {
    return printable(String((error as Error).message), 200)
  }
}

function isIdentity({ subject, issuer }: TrustedIdentity, found: Signer['identity']): boolean {
  const name = found?.subjectAlternativeName
  return name !== undefined && fitsText(subject, name) && found?.extensions?.issuer === issuer
}

function certificateOf({ verificationMaterial: { content } }: Bundle): X509Certificate {
  if (content.$case === 'certificate') return new X509Certificate(content.certificate.rawBytes)
  if (content.$case === 'x509CertificateChain')
    return new X509Certificate(content.x509CertificateChain.certificates[0]!.rawBytes)
  throw untrusted('has no certificate')
}
