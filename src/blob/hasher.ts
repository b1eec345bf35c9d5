import { createHash, type Hash } from 'node:crypto'
import type { Digest } from '#spec'

/** Counts and hashes bytes as they pass. */
export interface Hasher {
  /** Bytes hashed so far. */
  readonly size: number
  update(chunk: Uint8Array): void
  /** Digest of all bytes so far; may be called repeatedly, and hashing may continue afterwards. */
  digest(): Digest
}

/** Computes a digest from bytes as they come. */
export function createHasher(algorithm: 'sha256' | 'sha512' = 'sha256'): Hasher {
  const hash: Hash = createHash(algorithm)
  let size = 0
  return {
    get size() {
      return size
    },
    update(chunk) {
      hash.update(chunk)
      size += chunk.byteLength
    },
    digest: () => `${algorithm}:${hash.copy().digest('hex')}` as Digest,
  }
}

/** Digest of bytes that are in memory as a whole. */
export function digestOf(bytes: Uint8Array | string, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest
}
