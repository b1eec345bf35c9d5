import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { BaleError } from '#base'

/** Closes texts so that only who has the registry's secret can read them. */
export interface Seal {
  /** `id` names what the text belongs to, so that sealed texts cannot be exchanged. */
  close(id: string, text: string): string
  /** DENIED when it was sealed with another secret, or for something else. */
  open(id: string, sealed: string): string
}

/** What is sealed, each with a key of its own. */
export type Sealed =
  | 'signing keys of a registry'
  | 'secrets of hooks'
  | 'certificates of this registry'
  | 'logins under way'

const SEALED = 'sealed:'

export const isSealed = (text: string): boolean => text.startsWith(SEALED)

/** AES-256-GCM. */
export function createSeal(secret: Uint8Array, purpose: Sealed): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
  return {
    close(id, text) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(id))
      const sealed = Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()])
      return SEALED + sealed.toString('base64')
    },
    open(id, text) {
      const sealed = Buffer.from(text.slice(SEALED.length), 'base64')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
          .setAAD(Buffer.from(id))
          .setAuthTag(sealed.subarray(-16))
        return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString()
      } catch (error) {
        throw new BaleError('DENIED', `the secret is not the one that the ${purpose} are sealed with`, { cause: error })
      }
    },
  }
}

/** A text that was sealed with one secret, sealed with another; what was not sealed is. DENIED as when it is opened. */
export function sealedAgain(
  purpose: Sealed,
  { id, text }: { id: string; text: string },
  { from, to }: { from: Uint8Array; to: Uint8Array },
): string {
  const open = isSealed(text) ? createSeal(from, purpose).open(id, text) : text
  return createSeal(to, purpose).close(id, open)
}
