import { generateKeyPairSync } from 'node:crypto'
import { sealCosignKey } from './cosign-key.ts'
import type { KeyKind } from './key.ts'

/** A new pair of keys as the texts of two files. */
interface GeneratedKeys {
  /** PEM. Cosign's encrypted form with a password, so that cosign can use the same key; plain PKCS#8 without one. */
  privateKey: string
  /** PEM, SubjectPublicKeyInfo. */
  publicKey: string
}

/** Makes a pair of keys. Encrypting takes about 0.2 s and 64 MiB of memory, since guessing passwords must be slow. */
export async function generateKeys(kind: KeyKind, password?: string): Promise<GeneratedKeys> {
  const { privateKey, publicKey } =
    kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    privateKey:
      password === undefined
        ? privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
        : await sealCosignKey(privateKey.export({ type: 'pkcs8', format: 'der' }), password),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}
