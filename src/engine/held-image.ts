import type { ImageDocuments } from '#image'
import type { Store, StoredImage, StoreOperation } from '#store'
import { removeUnnamed } from './remove-unnamed.ts'

/** An image in the store until it is disposed of: unless it is kept, or was there before, it then goes. */
export interface HeldImage extends AsyncDisposable {
  readonly stored: StoredImage
  /** What holds it. */
  readonly operation: StoreOperation
  /** It stays, also without a name. */
  keep(): void
}

/** Puts an image that was made here into the store. */
export async function holdImage(store: Store, image: ImageDocuments): Promise<HeldImage> {
  const { digest: id } = image.configDescriptor
  let stays = (await store.images.get(id)) !== undefined
  await using stack = new AsyncDisposableStack()
  // Held content is not removed: this comes after the end of the operation.
  stack.defer(async () => {
    if (!stays) await removeUnnamed(store, id)
  })
  const operation = stack.use(store.operation({ purpose: 'build' }))
  const stored = await operation.putImage({ config: image.configBytes, manifest: image.manifestBytes })
  const held = stack.move()
  return {
    stored,
    operation,
    keep() {
      stays = true
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}
