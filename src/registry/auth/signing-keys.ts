import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { BaleError, type Clock } from '#base'
import type { MetaStore, StoredKey } from '../meta/index.ts'
import { newSigningKey, readSigningKey, type SigningKey } from './jws.ts'

/** The keys that sign and verify tokens. All replicas of a registry have the same. */
export interface SigningKeys {
  /** The one to sign with. */
  current(): Promise<SigningKey>
  /** The one of that ID, also when another replica has only just made it. */
  find(id: string): Promise<SigningKey | undefined>
}

const ROTATE_AFTER = 90 * 24 * 3_600_000
/** Longer than any token lives. */
const KEEP_AFTER = 24 * 3_600_000
/** An unknown key ID makes us look again, but not for every forged token. */
const LOOK_AGAIN_AFTER = 1000

interface Opened extends SigningKey {
  /** When it becomes too old to sign, by our clock. */
  old: number
}

/**
 * Keys are kept with the metadata, sealed with a secret that is kept apart from it: whoever reads the database or a copy
 * of it cannot issue tokens. A new key comes after ninety days; the old one verifies for a day more.
 */
export function createSigningKeys(parts: { meta: MetaStore; secret: Uint8Array; clock: Clock }): SigningKeys {
  const { meta, clock } = parts
  const seal = createSeal(parts.secret)
  let loaded: Promise<Opened[]> | undefined
  let looked = 0

  const load = async (): Promise<Opened[]> => {
    looked = clock.now()
    const stored = await meta.signingKeys()
    for (const key of stored) {
      // Up to bale 0.1 they were written down as they are.
      if (!seal.isSealed(key.privateKey)) await meta.putSigningKey({ ...key, privateKey: seal.close(key) })
      if (stored.indexOf(key) > 0 && key.age > ROTATE_AFTER + KEEP_AFTER) await meta.removeSigningKey(key.id)
    }
    return stored.map((key) => ({
      ...readSigningKey({ id: key.id, privateKey: seal.open(key) }),
      old: looked - key.age + ROTATE_AFTER,
    }))
  }
  const keys = () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined
      throw error
    })
    return loaded
  }
  const reload = () => {
    loaded = undefined
    return keys()
  }

  return {
    async current() {
      const [newest] = await keys()
      if (newest && clock.now() < newest.old) return newest
      const key = newSigningKey()
      await meta.putSigningKey({ ...key, privateKey: seal.close(key) })
      return (await reload())[0]!
    },
    async find(id) {
      const found = (await keys()).find((key) => key.id === id)
      if (found || clock.now() < looked + LOOK_AGAIN_AFTER) return found
      return (await reload()).find((key) => key.id === id)
    },
  }
}

const SEALED = 'sealed:'

/** Removes keys that nobody can open any more. Tokens that they signed end, which is after five minutes anyway. */
export async function forgetSealedKeys(meta: MetaStore): Promise<void> {
  for (const key of await meta.signingKeys()) if (key.privateKey.startsWith(SEALED)) await meta.removeSigningKey(key.id)
}

/** Seals a key that was sealed with one secret with another. */
export function sealedAgain(key: StoredKey, { from, to }: { from: Uint8Array; to: Uint8Array }): string {
  return createSeal(to).close({ ...key, privateKey: createSeal(from).open(key) })
}

/** AES-256-GCM; the ID of the key belongs to what is sealed, so that rows cannot be exchanged. */
function createSeal(secret: Uint8Array) {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'signing keys of a registry', 32))
  return {
    isSealed: (text: string) => text.startsWith(SEALED),
    close({ id, privateKey }: StoredKey): string {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(id))
      const sealed = Buffer.concat([nonce, cipher.update(privateKey), cipher.final(), cipher.getAuthTag()])
      return SEALED + sealed.toString('base64')
    },
    open({ id, privateKey }: StoredKey): string {
      if (!privateKey.startsWith(SEALED)) return privateKey
      const sealed = Buffer.from(privateKey.slice(SEALED.length), 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
        .setAAD(Buffer.from(id))
        .setAuthTag(sealed.subarray(-16))
      try {
        return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString()
      } catch (error) {
        throw new BaleError(
          'DENIED',
          'the secret is not the one that the signing keys of this registry are sealed with',
          {
            cause: error,
          },
        )
      }
    },
  }
}
