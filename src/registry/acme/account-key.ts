import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { newKeyPair, pemOf } from './certificates.ts'

/** What an authority knows a customer by who has an account of another kind there (RFC 8555 section 7.3.4). */
export interface ExternalAccount {
  keyId: string
  /** As the authority gives it: of HMAC-SHA-256, in base64url. */
  key: string
}

/** The key of an account at an authority: who has it can get certificates for the names that were validated lately. */
export interface AccountKey {
  /** A request as RFC 8555 section 6.2 has it (flattened JWS, ES256). Without `account`, the public key is in it. */
  sign(payload: object | undefined, head: { url: string; nonce: string; account?: string }): string
  /** What proves to an authority that the answer to a challenge is this account's (RFC 8555 section 8.1). */
  authorization(token: string): string
  /** Says that this key is of an external account; `url` is where the account of this key is made. */
  bind(external: ExternalAccount, url: string): object
}

export const newAccountKey = (): string => pemOf(newKeyPair().privateKey)

export function readAccountKey(pem: string): AccountKey {
  const key = createPrivateKey(pem)
  const { x, y } = createPublicKey(key).export({ format: 'jwk' })
  // In this order it is what the thumbprint is of (RFC 7638 section 3.3).
  const jwk = { crv: 'P-256', kty: 'EC', x, y }
  const thumbprint = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url')
  return {
    sign(payload, { url, nonce, account }) {
      const head = encode({ alg: 'ES256', ...(account === undefined ? { jwk } : { kid: account }), nonce, url })
      const body = payload === undefined ? '' : encode(payload)
      const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' })
      return JSON.stringify({ protected: head, payload: body, signature: signature.toString('base64url') })
    },
    authorization: (token) => `${token}.${thumbprint}`,
    bind({ keyId, key }, url) {
      const [head, body] = [encode({ alg: 'HS256', kid: keyId, url }), encode(jwk)]
      const signature = createHmac('sha256', Buffer.from(key, 'base64url')).update(`${head}.${body}`)
      return { protected: head, payload: body, signature: signature.digest('base64url') }
    },
  }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
