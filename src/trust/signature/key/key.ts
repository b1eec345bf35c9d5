import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { BaleError } from '#base'

/** The two kinds of keys that images are signed with here. */
export type KeyKind = 'ecdsa-p256' | 'ed25519'

/** A public key that signatures are checked with. */
export interface VerificationKey {
  readonly kind: KeyKind
  /** base64 of the SHA-256 of the SubjectPublicKeyInfo (DER). Sigstore bundles and cosign name a key by it. */
  readonly hint: string
  /** SubjectPublicKeyInfo, `-----BEGIN PUBLIC KEY-----`. */
  readonly pem: string
  readonly object: KeyObject
}

/** A private key. It stays inside: only `sign` uses it. */
export interface SigningKey {
  readonly public: VerificationKey
  /** ECDSA over SHA-256 in DER (differs each time), or Ed25519 (the same each time). */
  sign(bytes: Uint8Array): Uint8Array
}

/** What a private key can do. Throws INVALID_ARGUMENT for another kind of key; `what` names it in the message. */
export function signingKeyOf(secret: KeyObject, what: string): SigningKey {
  const { kind, ...own } = verificationKeyOf(createPublicKey(secret), what)
  return {
    public: { kind, ...own },
    sign: (bytes) => sign(hashOf(kind), bytes, secret),
  }
}

/** A public key with its names. Throws INVALID_ARGUMENT for another kind of key; `what` names it in the message. */
export function verificationKeyOf(object: KeyObject, what: string): VerificationKey {
  const kind = kindOf(object, what)
  return {
    kind,
    hint: createHash('sha256')
      .update(object.export({ type: 'spki', format: 'der' }))
      .digest('base64'),
    pem: object.export({ type: 'spki', format: 'pem' }).toString(),
    object,
  }
}

/** Whether a signature over these bytes was made with the key. Malformed signatures are not. */
export function signatureMatches({ kind, object }: VerificationKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(hashOf(kind), bytes, object, signature)
}

/** Ed25519 hashes by itself. */
function hashOf(kind: KeyKind): 'sha256' | null {
  return kind === 'ed25519' ? null : 'sha256'
}

function kindOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject, what: string): KeyKind {
  if (type === 'ed25519') return 'ed25519'
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ecdsa-p256'
  const found = type === 'ec' ? `an ECDSA key on the curve ${details?.namedCurve}` : `a key of the kind ${type}`
  throw wrongKey(what, type?.startsWith('rsa') ? 'an RSA key' : found)
}

/** The one wording for keys of a kind that is not taken. */
export function wrongKey(what: string, found: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', `${what} is ${found}; images are signed with ECDSA P-256 or Ed25519`)
}
