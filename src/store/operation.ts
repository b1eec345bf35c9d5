import type { ImageTarget } from '#image'
import type { Digest } from '#spec'
import { type Core, createLayerIntake, type Intake, type LayerIntake } from '#store/content'
import { type Images, type NewImage, putImage, type StoredImage } from '#store/images'
import { createLease, type Lease } from '#store/leases'
import type { PinKind } from '#store/rows'
import { createStoreTarget, type StoreSource } from './store-place.ts'

export interface OperationPurpose {
  /** For people who inspect the store: `build`. */
  purpose: string
}

/**
 * One operation's way into the store: a pull, a load, a build. What it takes in or holds is not collected until it is
 * disposed, or its process is gone; what nothing refers to by then is left to the next collection. A place belongs to one
 * operation: it is an ImageTarget, and an ImageSource of the same store.
 */
export interface StoreOperation extends StoreSource, ImageTarget, AsyncDisposable {
  readonly layers: LayerIntake
  /** Stores an image made here, whose layers are in the store. Throws BLOB_NOT_FOUND when they are not, INVALID_MANIFEST. */
  putImage(image: NewImage): Promise<StoredImage>
  /** Keeps a layer (by diff ID), blob or document until the operation ends. */
  pin(kind: PinKind, digest: Digest): Promise<void>
}

/** `open` has the leases of operations that go on. */
export function beginOperation(
  core: Core,
  images: Images,
  source: StoreSource,
  open: Set<Lease>,
  { purpose }: OperationPurpose,
): StoreOperation {
  const lease = createLease(core.database, core.clock, purpose)
  const intake: Intake = { ...core, lease }
  open.add(lease)
  return {
    ...source,
    ...createStoreTarget(intake, images),
    layers: createLayerIntake(intake),
    putImage: async (image) => putImage(intake, image),
    pin: async (kind, digest) => lease.hold([{ kind, digest }]),
    async [Symbol.asyncDispose]() {
      open.delete(lease)
      lease.end()
    },
  }
}
