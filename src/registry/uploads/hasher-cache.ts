import type { UploadHasher } from './upload-hasher.ts'

/**
 * Hashes of uploads between two chunks. Node cannot write down a running hash, so it lives in this process; when it is
 * gone (a restart, another replica) the stored bytes are read again at the end.
 */
export interface HasherCache {
  /** Takes the hasher out, when there is one for exactly this offset. */
  take(id: string, offset: number): UploadHasher | undefined
  keep(id: string, hasher: UploadHasher): void
}

const HASHERS = 256

export function createHasherCache(): HasherCache {
  const hashers = new Map<string, UploadHasher>()
  return {
    take(id, offset) {
      const hasher = hashers.get(id)
      hashers.delete(id)
      if (hasher?.size === offset) return hasher
      hasher?.[Symbol.dispose]()
      return undefined
    },
    keep(id, hasher) {
      hashers.set(id, hasher)
      const oldest = hashers.keys().next()
      if (hashers.size > HASHERS && !oldest.done) this.take(oldest.value, -1)
    },
  }
}
