import { createPrivateKey, type KeyObject } from 'node:crypto'
import { BaleError, printable, table } from '#base'
import { openCosignKey } from './cosign-key.ts'
import { type SigningKey, signingKeyOf, wrongKey } from './key.ts'
import { type PemBlock, theBlock } from './pem.ts'

/** How a private key is read. */
interface SigningKeyOptions {
  /** Of an encrypted key. Ignored for one that is not encrypted. */
  password?: string
  /** What the key is called in messages: the file it came from. */
  what?: string
}

type Form = 'plain' | 'encrypted' | 'cosign'

const FORMS = table<Form>({
  'PRIVATE KEY': 'plain',
  'EC PRIVATE KEY': 'plain',
  'ENCRYPTED PRIVATE KEY': 'encrypted',
  'ENCRYPTED SIGSTORE PRIVATE KEY': 'cosign',
  'ENCRYPTED COSIGN PRIVATE KEY': 'cosign',
})

/**
 * Reads a private key from PEM: PKCS#8, plain or encrypted, SEC1 (`EC PRIVATE KEY`) likewise, and the encrypted form of cosign.
 * INVALID_ARGUMENT for a wrong or missing password, a damaged file, and all kinds of keys but ECDSA P-256 and Ed25519.
 */
export async function readSigningKey(pem: string, options: SigningKeyOptions = {}): Promise<SigningKey> {
  const { password, what = 'the private key' } = options
  const block = theBlock(pem, what)
  const form = formOf(block, what)
  if (form === 'plain') return signingKeyOf(parse(block.text, what), what)
  if (password === undefined) throw refused(`${what} is encrypted, and no password is given`)
  if (form === 'encrypted') return signingKeyOf(parse(block.text, what, password), what)
  const der = await openCosignKey(block.bytes, password, what)
  return signingKeyOf(parse({ key: der, format: 'der', type: 'pkcs8' }, what), what)
}

function formOf({ label, text }: PemBlock, what: string): Form {
  const form = FORMS[label]
  // RFC 1421, 4.6: how `openssl ec -aes256` encrypts.
  if (form) return text.includes('Proc-Type: 4,ENCRYPTED') ? 'encrypted' : form
  if (label === 'RSA PRIVATE KEY') throw wrongKey(what, 'an RSA key')
  if (label === 'PUBLIC KEY') throw refused(`${what} is a public key; images are signed with the private key`)
  if (label === 'OPENSSH PRIVATE KEY') throw refused(`${what} is a key of OpenSSH, which is not PKCS#8`)
  throw refused(`${what} is not a private key, but: ${printable(label, 40)}`)
}

function parse(
  key: string | { key: Buffer; format: 'der'; type: 'pkcs8' },
  what: string,
  password?: string,
): KeyObject {
  try {
    return createPrivateKey(typeof key === 'string' ? { key, format: 'pem', passphrase: password } : key)
  } catch (error) {
    // OpenSSL's reason differs from try to try: a wrong password may decrypt to something that looks padded.
    if (password !== undefined) throw refused(`the password of ${what} is wrong, or the file is damaged`, error)
    throw refused(`${what} is damaged: its private key cannot be read`, error)
  }
}

function refused(message: string, cause?: unknown): BaleError {
  return new BaleError('INVALID_ARGUMENT', message, { cause })
}
