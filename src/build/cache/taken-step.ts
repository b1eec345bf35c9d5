import { BaleError, type Recovery } from '#base'
import { isDigest } from '#spec'
import type { BuildCache, CacheRecord } from '#store'
import { assertShape, type Shape, versionOf } from '#store/records'
import type { TakenStep } from '../graph/index.ts'

const VERSION = 1
const TAKEN: Shape = { diffId: 'string?', created: 'string' }

/** What the store keeps of a step that was taken. */
export function takenDocument(taken: TakenStep): TakenStep & { version: number } {
  return { version: VERSION, ...taken }
}

/**
 * A step that was taken, out of the store's record. Undefined for a record that is damaged or that a newer bale wrote: it is
 * only a cache, and the step is taken once more.
 */
export function readTakenStep({ key, document, layers }: CacheRecord): TakenStep | undefined {
  const what = `the build cache ${key}`
  try {
    versionOf(document, { what, newest: VERSION })
    assertShape(document, TAKEN, what)
  } catch (error) {
    if (error instanceof BaleError) return undefined
    throw error
  }
  const { diffId, created } = document as TakenStep
  if (diffId === undefined) return { created }
  return isDigest(diffId) && layers.includes(diffId) ? { diffId, created } : undefined
}

/** Removes the records that this bale cannot read, with the layers that only they held. */
export function cacheRecovery(cache: BuildCache): Recovery {
  return {
    sweeps: 'build cache records that are damaged or of a newer bale',
    async recover() {
      const { keys, freed } = await cache.prune((record) => readTakenStep(record) === undefined)
      return { removed: keys.length, freed }
    },
  }
}
