import { createHmac, randomBytes } from 'node:crypto'
import { BaleError } from '#base'

const MARK = 'whsec_'
const LENGTH = 32

/** A new secret of a hook. Source: Standard Webhooks, "Webhook secrets": base64 of 24 to 64 bytes after a mark. */
export function newSigningSecret(): string {
  return MARK + randomBytes(LENGTH).toString('base64')
}

/** INVALID_ARGUMENT for an invalid secret. It is never shown. */
export function checkSigningSecret(secret: string): void {
  const base64 = secret.startsWith(MARK) ? secret.slice(MARK.length) : ''
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length >= 24 && bytes.length <= 64 && bytes.toString('base64') === base64) return
  throw new BaleError('INVALID_ARGUMENT', 'not a secret of a hook: whsec_ and 24 to 64 bytes in base64')
}

/**
 * The headers by which a receiver knows that a message is from here, is new, and whether it came before. `at` is the time of
 * the attempt, in milliseconds since 1970. Source: Standard Webhooks, "Signature scheme": HMAC-SHA256, symmetric.
 */
export function signatureHeaders(secret: string, message: { id: string; at: number; body: string }) {
  const timestamp = String(Math.floor(message.at / 1000))
  const key = Buffer.from(secret.slice(MARK.length), 'base64')
  const hmac = createHmac('sha256', key).update(`${message.id}.${timestamp}.${message.body}`)
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${hmac.digest('base64')}`,
  }
}
