import { createPublicKey } from 'node:crypto'
import { BaleError, printable } from '#base'
import { type VerificationKey, verificationKeyOf, wrongKey } from './key.ts'
import { theBlock } from './pem.ts'

/**
 * Reads a public key from PEM: SubjectPublicKeyInfo, as `openssl pkey -pubout` and cosign write it. `what` names it in
 * messages: the file it came from. INVALID_ARGUMENT for a private key (which does not belong where signatures are
 * checked), a certificate, and all kinds of keys but ECDSA P-256 and Ed25519.
 */
export function readVerificationKey(pem: string, what = 'the public key'): VerificationKey {
  const { label, text } = theBlock(pem, what)
  if (label === 'PUBLIC KEY') return verificationKeyOf(parse(text, what), what)
  if (label === 'RSA PUBLIC KEY') throw wrongKey(what, 'an RSA key')
  if (label.endsWith('PRIVATE KEY')) {
    throw new BaleError('INVALID_ARGUMENT', `${what} is a private key; signatures are checked with the public key`, {
      hint: 'a private key belongs only where images are signed',
    })
  }
  if (label === 'CERTIFICATE') {
    throw new BaleError('INVALID_ARGUMENT', `${what} is a certificate, not a public key`)
  }
  throw new BaleError('INVALID_ARGUMENT', `${what} is not a public key, but: ${printable(label, 40)}`)
}

function parse(text: string, what: string) {
  try {
    return createPublicKey(text)
  } catch (error) {
    throw new BaleError('INVALID_ARGUMENT', `${what} is damaged: its public key cannot be read`, { cause: error })
  }
}
