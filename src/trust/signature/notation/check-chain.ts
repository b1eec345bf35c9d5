import type { KeyObject, X509Certificate } from 'node:crypto'
import { printable } from '#base'
import { untrusted } from '../claim/index.ts'
import { type Uses, usesOf } from './extensions.ts'

/** Extended key usages that must not be with code signing. Source: Notary Project, "Certificate Requirements", leaf. */
const OTHER_USES = new Set([
  '2.5.29.37.0', // any
  '1.3.6.1.5.5.7.3.1', // serverAuth
  '1.3.6.1.5.5.7.3.2', // clientAuth
  '1.3.6.1.5.5.7.3.4', // emailProtection
  '1.3.6.1.5.5.7.3.8', // timeStamping
])

/**
 * Checks a chain of certificates, signer first, as far as its last one: each made by the next, and each allowed to do
 * what it does. Whether the last one is trusted, and times, are not looked at. Throws UNTRUSTED.
 */
export function checkChain(chain: readonly X509Certificate[]): void {
  checkLeaf(chain[0]!, chain.length === 1)
  for (const [at, certificate] of chain.entries()) {
    checkStrength(certificate)
    if (at > 0) checkAuthority(certificate, at - 1)
    const issuer = chain[at + 1] ?? (chain.length === 1 ? undefined : certificate)
    if (issuer && !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)))
      throw untrusted(`has certificates that do not follow from one another: ${subjectOf(certificate)}`)
  }
}

/** Whether all of them are valid at a time. `when` names it: `now`. Throws UNTRUSTED, naming the one that is not. */
export function checkValidity(chain: readonly X509Certificate[], time: Date, when: string): void {
  for (const certificate of chain) {
    const { validFromDate: from, validToDate: to } = certificate
    if (from <= time && time <= to) continue
    const reason = time > to ? `it expired at ${to.toISOString()}` : `it begins at ${from.toISOString()}`
    throw untrusted(`has a certificate that is not valid ${when} (${reason}): ${subjectOf(certificate)}`)
  }
}

/** The subject on one line: `C=US, O=Example, CN=Releases`. */
export function subjectOf({ subject }: X509Certificate): string {
  return printable((subject ?? '').replaceAll('\n', ', '), 300)
}

function checkLeaf(leaf: X509Certificate, isAlone: boolean): void {
  const { keyUsage } = readUses(leaf)
  const mayNot = (reason: string) => untrusted(`has a certificate that may not sign (${reason}): ${subjectOf(leaf)}`)
  if (!keyUsage?.digitalSignature || !keyUsage.critical) throw mayNot('its key usage is not digitalSignature, critical')
  if (keyUsage.keyCertSign || leaf.ca) throw mayNot('it is of an authority')
  if (keyUsage.other) throw mayNot('its key has other uses')
  const other = leaf.keyUsage?.find((use) => OTHER_USES.has(use))
  if (other !== undefined) throw mayNot(`its extended key usage is ${other}`)
  if (isAlone && !(leaf.subject === leaf.issuer && leaf.verify(leaf.publicKey)))
    throw mayNot('its authority is not with it')
}

function checkAuthority(certificate: X509Certificate, below: number): void {
  const { keyUsage, pathLength } = readUses(certificate)
  if (!certificate.ca || !keyUsage?.keyCertSign)
    throw untrusted(`has a certificate that may not make others, but did: ${subjectOf(certificate)}`)
  if (!keyUsage.critical)
    throw untrusted(`has a certificate of an authority whose key usage is not critical: ${subjectOf(certificate)}`)
  if (pathLength !== undefined && pathLength < below)
    throw untrusted(`has a longer chain of certificates than one of them allows: ${subjectOf(certificate)}`)
}

function readUses(certificate: X509Certificate): Uses {
  try {
    return usesOf(certificate)
  } catch (error) {
    throw untrusted(`has a certificate with a damaged extension: ${subjectOf(certificate)}`, error)
  }
}

function checkStrength(certificate: X509Certificate): void {
  const { modulusLength = 2048, namedCurve } = detailsOf(certificate.publicKey)
  const isWeak =
    modulusLength < 2048 || (namedCurve !== undefined && !/^(?:prime256v1|secp384r1|secp521r1)$/.test(namedCurve))
  if (isWeak) throw untrusted(`has a certificate with a key that is too weak: ${subjectOf(certificate)}`)
  if (/sha-?1(?!\d)|md5/i.test(certificate.signatureAlgorithm ?? ''))
    throw untrusted(`has a certificate that was made with a broken hash (SHA-1): ${subjectOf(certificate)}`)
}

function detailsOf({ asymmetricKeyDetails }: KeyObject) {
  return asymmetricKeyDetails ?? {}
}
