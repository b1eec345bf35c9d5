import { randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { BaleError } from '#base'
import { parseStrictJson } from '#spec'

type Derive = (
  password: string,
  salt: Uint8Array,
  length: number,
  options: { N: number; r: number; p: number; maxmem: number },
) => Promise<Buffer>

const derive: Derive = promisify(scrypt)

/** What cosign's own writer takes now. */
const PARAMETERS = { N: 65_536, r: 8, p: 1 }
const MEMORY_LIMIT = 256 << 20
const KEY_BYTES = 32
const NONCE_BYTES = 24

const base64 = v.pipe(
  v.string(),
  v.base64(),
  v.transform((text) => Buffer.from(text, 'base64')),
)
const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(1))

/** The JSON inside `ENCRYPTED SIGSTORE PRIVATE KEY`. */
const SEALED = v.object({
  kdf: v.object({
    name: v.literal('scrypt'),
    params: v.object({ N: wholeNumber, r: wholeNumber, p: wholeNumber }),
    salt: base64,
  }),
  cipher: v.object({ name: v.literal('nacl/secretbox'), nonce: v.pipe(base64, v.length(NONCE_BYTES)) }),
  ciphertext: base64,
})

/**
 * Decrypts a private key that cosign encrypted: scrypt makes a key of the password, NaCl's secretbox (XSalsa20 and
 * Poly1305) holds the PKCS#8 in DER. INVALID_ARGUMENT for a wrong password, a damaged file, and parameters that take
 * more than 256 MiB of memory.
 */
export async function openCosignKey(json: Uint8Array, password: string, what: string): Promise<Buffer> {
  const value = parseStrictJson(json, { limit: 64 << 10, depth: 8, what, code: 'INVALID_ARGUMENT' })
  const { success, output } = v.safeParse(SEALED, value)
  if (!success) throw new BaleError('INVALID_ARGUMENT', `${what} is damaged: it is not an encrypted key of cosign`)
  const { kdf, cipher, ciphertext } = output
  const box = await secretbox(await passwordKey(password, kdf.salt, kdf.params, what), cipher.nonce)
  try {
    return Buffer.from(box.decrypt(ciphertext))
  } catch (error) {
    throw new BaleError('INVALID_ARGUMENT', `the password of ${what} is wrong, or the file is damaged`, {
      cause: error,
    })
  }
}

/** Encrypts a private key (PKCS#8 in DER) as cosign does, as PEM. */
export async function sealCosignKey(der: Uint8Array, password: string): Promise<string> {
  const [salt, nonce] = [randomBytes(32), randomBytes(NONCE_BYTES)]
  const box = await secretbox(await passwordKey(password, salt, PARAMETERS, 'the key'), nonce)
  const sealed = {
    kdf: { name: 'scrypt', params: PARAMETERS, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(box.encrypt(der)).toString('base64'),
  }
  const lines = Buffer.from(JSON.stringify(sealed))
    .toString('base64')
    .match(/.{1,64}/g)!
  const label = 'ENCRYPTED SIGSTORE PRIVATE KEY'
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

async function secretbox(key: Uint8Array, nonce: Uint8Array) {
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js')
  return xsalsa20poly1305(key, nonce)
}

async function passwordKey(password: string, salt: Uint8Array, { N, r, p }: typeof PARAMETERS, what: string) {
  const memory = 128 * r * (N + p)
  const isPower = N >= 2 && 2 ** Math.round(Math.log2(N)) === N
  if (!isPower || memory > MEMORY_LIMIT || p > 16) {
    throw new BaleError(
      'INVALID_ARGUMENT',
      `${what} has parameters of scrypt that are not accepted: N=${N} r=${r} p=${p}`,
    )
  }
  return derive(password, salt, KEY_BYTES, { N, r, p, maxmem: 2 * MEMORY_LIMIT })
}
