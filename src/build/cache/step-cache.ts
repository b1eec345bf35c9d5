import type { Clock } from '#base'
import type { Digest } from '#spec'
import type { Store, StoreOperation } from '#store'
import type { Step, StepCache, TakenStep } from '../graph/index.ts'
import { readTakenStep, takenDocument } from './taken-step.ts'

interface StepCacheOptions {
  store: Pick<Store, 'layers' | 'buildCache'>
  /** Holds the layers of results. */
  intake: Pick<StoreOperation, 'pin'>
  clock: Clock
  /** RFC 3339: when what is made now was made. */
  created(): string
}

/** Results of steps in the store's table, under all the keys by which they may be found. */
export function createStepCache({ store, intake, clock, created }: StepCacheOptions): StepCache {
  /** False when the layer was pruned concurrently. */
  const hold = async ({ diffId }: TakenStep): Promise<boolean> => {
    if (!diffId) return true
    await intake.pin('layer', diffId)
    return (await store.layers.get(diffId)) !== undefined
  }
  /** The record holds the layer for as long as it lives. */
  const put = async (taken: TakenStep, keys: readonly string[]): Promise<void> => {
    const { diffId } = taken
    const now = clock.now()
    const layer = diffId && (await store.layers.get(diffId))
    if (diffId) await intake.pin('layer', diffId)
    const layers: Digest[] = diffId ? [diffId] : []
    for (const key of keys) {
      const record = {
        key,
        layers,
        size: layer?.diskSize ?? 0,
        created: now,
        lastUsed: now,
        document: takenDocument(taken),
      }
      await store.buildCache.put(record)
    }
  }
  return {
    async find(step) {
      if (step.mark && !(await store.buildCache.get(await step.mark()))) return undefined
      const asked: string[] = []
      for (const key of step.keys) {
        const name = await key()
        const record = await store.buildCache.get(name)
        const taken = record && readTakenStep(record)
        if (taken && (await hold(taken))) {
          // A dearer key found it: next time the cheap one will.
          if (asked.length > 0) await put(taken, asked)
          return taken
        }
        asked.push(name)
      }
      return undefined
    },
    async keep(step, { diffId, keys }) {
      const taken: TakenStep = { diffId, created: created() }
      await put(taken, keys ?? (await everyKey(step)))
      if (step.mark) await put({ created: taken.created }, [await step.mark()])
      return taken
    },
  }
}

function everyKey(step: Step): Promise<string[]> {
  return Promise.all(step.keys.map((key) => key()))
}
