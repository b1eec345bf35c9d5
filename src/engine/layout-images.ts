import { resolve } from 'node:path'
import { BaleError, type OperationOptions, printable } from '#base'
import type { FoundBase } from '#build'
import { copyImage } from '#image'
import type { Digest, Platform } from '#spec'
import type { Store, StoreOperation } from '#store'
import { removeUnnamed } from './remove-unnamed.ts'

const SCHEME = 'oci-layout://'

/**
 * Base images out of OCI layouts: `oci-layout://DIRECTORY[:TAG][@DIGEST]`. They come into the store as from a registry, but
 * without a name; those that the store did not have before are removed when this is disposed.
 */
export function layoutImages(store: Store): AsyncDisposable & {
  find(place: string, options: OperationOptions & { platform: Platform }): Promise<FoundBase>
} {
  const added: Digest[] = []
  let intake: StoreOperation | undefined
  return {
    async find(place, { platform, signal, progress }) {
      const { openLayout } = await import('#transport')
      const { directory, name } = parsePlace(place)
      const layout = await openLayout(resolve(directory))
      intake ??= store.operation({ purpose: 'build' })
      const before = new Set((await store.images.list()).map(({ id }) => id))
      const { manifestDescriptor } = await copyImage(layout, intake, {
        name,
        platform,
        signal,
        progress,
        imagesOnly: true,
      })
      if (!manifestDescriptor) throw new BaleError('MANIFEST_NOT_FOUND', `${printable(place)} holds no image`)
      const { image } = await store.images.find(manifestDescriptor.digest)
      if (!before.has(image.id)) added.push(image.id)
      return { image, wasLocal: before.has(image.id) }
    },
    async [Symbol.asyncDispose]() {
      // Held content is not removed.
      await intake?.[Symbol.asyncDispose]()
      for (const id of added) await removeUnnamed(store, id)
    },
  }
}

function parsePlace(place: string): { directory: string; name: string | undefined } {
  const [path, digest] = place.slice(SCHEME.length).split('@') as [string, string | undefined]
  const tag = /:([A-Za-z0-9_][A-Za-z0-9._-]*)$/.exec(path)?.[1]
  const directory = tag === undefined ? path : path.slice(0, -tag.length - 1)
  return { directory, name: digest ?? tag }
}
