import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { BaleError } from '#base'

/** Makes texts unreadable to whoever has the database alone. */
export interface Seal {
  /** The name belongs to what is sealed, so that rows cannot be exchanged. */
  close(name: string, value: string): string
  /** DENIED when another secret sealed it, or it has another name. */
  open(name: string, sealed: string): string
}

const SEALED = 'sealed:'

export const isSealed = (value: string): boolean => value.startsWith(SEALED)

/** AES-256-GCM with a key that is derived from the registry's secret for one kind of texts: `signing keys`. */
export function createSeal(secret: Uint8Array, kind: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `${kind} of a registry`, 32))
  return {
    close(name, value) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name))
      const sealed = Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()])
      return SEALED + sealed.toString('base64')
    },
    open(name, text) {
      const sealed = Buffer.from(text.slice(SEALED.length), 'base64')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
          .setAAD(Buffer.from(name))
          .setAuthTag(sealed.subarray(-16))
        return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString()
      } catch (error) {
        throw new BaleError('DENIED', `the secret is not the one that the ${kind} of this registry are sealed with`, {
          cause: error,
        })
      }
    },
  }
}
