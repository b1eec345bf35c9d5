import type { Hasher } from '#blob'

/**
 * Hashes of uploads between two chunks. Node cannot write down a running hash, so it lives in this process; when it is
 * gone (a restart, another replica) the stored bytes are read again at the end.
 */
export interface HasherCache {
  /** Takes the hasher out, when there is one for exactly this offset. */
  take(id: string, offset: number): Hasher | undefined
  keep(id: string, hasher: Hasher): void
}

const HASHERS = 256

export function createHasherCache(): HasherCache {
  const hashers = new Map<string, Hasher>()
  return {
    take(id, offset) {
      const hasher = hashers.get(id)
      hashers.delete(id)
      return hasher?.size === offset ? hasher : undefined
    },
    keep(id, hasher) {
      hashers.set(id, hasher)
      const oldest = hashers.keys().next()
      if (hashers.size > HASHERS && !oldest.done) hashers.delete(oldest.value)
    },
  }
}
