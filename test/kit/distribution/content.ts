import { createHash, randomBytes } from 'node:crypto'

export type Algorithm = 'sha256' | 'sha512'

export const ALGORITHMS: readonly Algorithm[] = ['sha256', 'sha512']

export interface Blob {
  digest: string
  bytes: Uint8Array
}

export function blobOf(bytes: Uint8Array | string, algorithm: Algorithm = 'sha256'): Blob {
  return { digest: `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`, bytes: Buffer.from(bytes) }
}

/** Nobody ever pushed its bytes before. */
export function randomBlob(algorithm: Algorithm = 'sha256', size = 512): Blob {
  return blobOf(randomBytes(size), algorithm)
}

/** Its digest is that of other bytes. */
export function damagedBlob(algorithm: Algorithm, size: number): Blob {
  const { digest, bytes } = randomBlob(algorithm, size)
  bytes[0] = bytes[0]! ^ 1
  return { digest, bytes }
}
