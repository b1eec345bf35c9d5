import { BaleError } from '#base'
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

/** Removes the records that cannot be read, with the layers that only they held. Returns the bytes that became free. */
export async function dropUnreadable(cache: BuildCache): Promise<number> {
  return (await cache.prune((record) => readTakenStep(record) === undefined)).freed
}
