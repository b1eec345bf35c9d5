import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { newKeyPair, pemOf } from './certificates.ts'

/** The key of an account at an authority: who has it can get certificates for the names that were validated lately. */
export interface AccountKey {
  /** A request as RFC 8555 section 6.2 has it (flattened JWS, ES256). Without `account`, the public key is in it. */
  sign(payload: object | undefined, head: { url: string; nonce: string; account?: string }): string
  /** What proves to an authority that the answer to a challenge is this account's (RFC 8555 section 8.1). */
  authorization(token: string): string
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
  }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
