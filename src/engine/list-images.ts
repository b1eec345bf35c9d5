import type { FilterPair } from '#docker'
import { type ImageRow, type ImageSummary, imageRows, imageSummaries, readImageFilters } from '#docker/views'
import { parseReference } from '#spec'
import type { EngineContext } from './context/context.ts'

/** Which images are listed. */
export interface ListImagesOptions {
  /** docker's: dangling, label, label!, before, since, until, reference. */
  filters?: readonly FilterPair[]
  /** Only images of this repository, or this name. */
  name?: string
}

/** docker's `/images/json`, newest first. */
export async function listImages(context: EngineContext, options: ListImagesOptions = {}): Promise<ImageSummary[]> {
  const store = await context.store()
  const filters = await readImageFilters(
    options.filters ?? [],
    (text) => store.images.resolve(text),
    context.clock.now(),
  )
  if (options.name === undefined) return imageSummaries(await store.images.list(), filters)
  // A malformed name is an error; a pattern is not a name.
  if (!/[*?[\\]/.test(options.name)) parseReference(options.name)
  const reference = [...(filters.reference ?? []), options.name]
  return imageSummaries(await store.images.list(), { ...filters, reference })
}

/** The same as lines of a list: an image under each of its names. */
export async function listImageRows(
  context: EngineContext,
  options: ListImagesOptions & { digests?: boolean } = {},
): Promise<ImageRow[]> {
  return imageRows(await listImages(context, options), { digests: options.digests })
}
