import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { bits, explicit, implicit, integer, objectId, octets, sequence, set, utcTime, utf8, yes } from './der.ts'

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'
const COMMON_NAME = '2.5.4.3'
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
/** Source: RFC 8737 section 6.1. */
const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31'
const DAY = 86_400_000

/** A key pair of P-256, which all clients know. */
export const newKeyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

export const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** A request for a certificate of these names (PKCS #10, RFC 2986), in DER. */
export function signingRequest(names: readonly string[], { publicKey, privateKey }: KeyPair): Buffer {
  const extensions = sequence(objectId(EXTENSION_REQUEST), set(sequence(alternativeNames(names))))
  return signed(sequence(integer(0), sequence(), spki(publicKey), explicit(0, extensions)), privateKey)
}

/** The certificate, signed by itself, that answers a challenge for a name (RFC 8737 section 3), with its key. PEM. */
export function challengeCertificate(
  name: string,
  keyAuthorization: string,
  now = Date.now(),
): { cert: string; key: string } {
  const keys = newKeyPair()
  const subject = sequence(set(sequence(objectId(COMMON_NAME), utf8('ACME challenge'))))
  const proof = createHash('sha256').update(keyAuthorization).digest()
  const identifier = sequence(objectId(ACME_IDENTIFIER), yes(), octets(octets(proof)))
  const content = sequence(
    explicit(0, integer(2)),
    // Positive, and not 0.
    integer(Buffer.from([1, ...randomBytes(8)])),
    sequence(objectId(ECDSA_WITH_SHA256)),
    subject,
    sequence(utcTime(now - DAY), utcTime(now + DAY)),
    subject,
    spki(keys.publicKey),
    explicit(3, sequence(alternativeNames([name]), identifier)),
  )
  return { cert: pem('CERTIFICATE', signed(content, keys.privateKey)), key: pemOf(keys.privateKey) }
}

interface KeyPair {
  publicKey: KeyObject
  privateKey: KeyObject
}

const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' })

function alternativeNames(names: readonly string[]): Buffer {
  return sequence(
    objectId(SUBJECT_ALTERNATIVE_NAME),
    octets(sequence(...names.map((name) => implicit(DNS_NAME, name)))),
  )
}

/** Its number among the kinds of names (RFC 5280 section 4.2.1.6). */
const DNS_NAME = 2

function signed(content: Buffer, key: KeyObject): Buffer {
  return sequence(content, sequence(objectId(ECDSA_WITH_SHA256)), bits(sign('sha256', content, key)))
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
