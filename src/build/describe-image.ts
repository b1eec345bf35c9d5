import { BaleError } from '#base'
import { type ImageDocuments, makeImage, plainLayer } from '#image'
import type { Digest, History, ImageConfig } from '#spec'
import type { Store } from '#store'
import type { TakenStep } from './graph/index.ts'
import { fillCreated, type HistoryEntry, type StageState } from './instructions/index.ts'

interface ImageParts {
  state: StageState
  diffIds: readonly Digest[]
  /** Results of the steps that have a history entry. */
  steps: ReadonlyMap<string, TakenStep>
  labels?: Readonly<Record<string, string>>
  /** RFC 3339: the time of what has none. */
  created: string
}

/** The documents of the image that a stage became. Throws STORE_DAMAGED when a layer is gone. */
export async function describeImage(
  layers: Pick<Store['layers'], 'get'>,
  { state, diffIds, steps, labels: added, created }: ImageParts,
): Promise<ImageDocuments> {
  const { base, platform, config, author } = state
  const history = fillCreated(
    state.history.map((entry) => withResult(entry, steps)),
    created,
  )
  const labels = added && { Labels: { ...config.Labels, ...added } }
  const parts: Omit<ImageConfig, 'rootfs'> = {
    ...platform,
    'os.version': base?.['os.version'],
    'os.features': base?.['os.features'],
    created: history.at(-1)?.created ?? created,
    author,
    config: { ...config, ...labels },
    history,
  }
  const described = []
  for (const diffId of diffIds) {
    const layer = await layers.get(diffId)
    if (!layer)
      throw new BaleError('STORE_DAMAGED', `layer ${diffId} is missing from the store`, {
        next: { act: 'repair-store' },
      })
    described.push(plainLayer(diffId, layer.tarSize))
  }
  return makeImage({ config: parts, layers: described })
}

/** A step that made a layer gives its entry the time; one that made none leaves an entry without a layer. */
function withResult({ step, ...entry }: HistoryEntry, steps: ImageParts['steps']): History {
  if (step === undefined) return entry
  const { diffId, created } = steps.get(step)!
  return diffId ? { created, ...entry } : { ...entry, empty_layer: true }
}
