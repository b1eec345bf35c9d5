import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'

/** A key that signs; its public half verifies. */
export interface SigningKey {
  id: string
  privateKey: KeyObject
  publicKey: KeyObject
}

export function newSigningKey(): { id: string; privateKey: string } {
  const { privateKey } = generateKeyPairSync('ed25519')
  return {
    id: randomBytes(8).toString('hex'),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

export function readSigningKey({ id, privateKey }: { id: string; privateKey: string }): SigningKey {
  const key = createPrivateKey(privateKey)
  return { id, privateKey: key, publicKey: createPublicKey(key) }
}

/** A compact JWS (RFC 7515) with Ed25519 (RFC 8037). */
export function signToken(key: SigningKey, claims: object): string {
  const head = encode({ alg: 'EdDSA', typ: 'JWT', kid: key.id })
  const signed = `${head}.${encode(claims)}`
  return `${signed}.${sign(null, Buffer.from(signed), key.privateKey).toString('base64url')}`
}

/**
 * The claims of a token that one of our keys signed, or undefined. The algorithm is ours, not the token's: any other
 * `alg` is refused, and `jwk`, `jku`, `x5c` and the like are ignored (A05).
 */
export async function readToken(
  find: (id: string) => Promise<SigningKey | undefined>,
  token: string,
): Promise<Record<string, unknown> | undefined> {
  const [head, body, signature, ...more] = token.split('.')
  if (!head || !body || !signature || more.length > 0) return undefined
  const header = decode(head)
  if (header?.['alg'] !== 'EdDSA') return undefined
  const id = header['kid']
  const key = typeof id === 'string' ? await find(id) : undefined
  if (!key) return undefined
  const genuine = verify(null, Buffer.from(`${head}.${body}`), key.publicKey, Buffer.from(signature, 'base64url'))
  return genuine ? decode(body) : undefined
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
