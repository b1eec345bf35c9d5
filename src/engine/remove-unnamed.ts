import type { Digest } from '#spec'
import type { Store } from '#store'

/** Removes an image that was needed for a while only, unless it has got a name meanwhile: the result of a build may be this very image. */
export async function removeUnnamed(store: Store, id: Digest): Promise<void> {
  const image = await store.images.get(id)
  if (image && (await store.images.list()).some((one) => one.id === id && one.names.length === 0))
    await store.images.remove(id)
}
