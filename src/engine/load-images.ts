import { type BaleError, isBaleError, type OperationOptions, printable } from '#base'
import { copyImage } from '#image'
import {
  type Descriptor,
  type Digest,
  familiarName,
  type ImageName,
  imageName,
  parsePlatform,
  parseReference,
} from '#spec'
import type { Store } from '#store'
import type { EngineContext } from './context/context.ts'
import { openInput } from './open-input.ts'
import { openAdmission } from './trust/open-admission.ts'

/** An image that came from an archive, under one of its names. */
export interface LoadedImage {
  /** In its short form; undefined when the archive has no name for it. */
  name?: string
  /** Image ID. */
  id: Digest
}

/** Loads every image of an archive of docker, podman, skopeo or bale, plain or compressed, from a file or a stream. */
export async function loadImages(
  context: EngineContext,
  source: string | AsyncIterable<Uint8Array>,
  options: OperationOptions & { platform?: string } = {},
): Promise<LoadedImage[]> {
  const platform = options.platform === undefined ? context.platform : parsePlatform(options.platform)
  const strictPlatform = options.platform !== undefined
  const store = await context.store()
  const { openArchive } = await import('#transport')
  const input = typeof source === 'string' ? source : await openInput(context, source, options)
  await using archive = await openArchive(input, {
    temporary: `${store.root}/tmp`,
    signal: options.signal,
    knownLayer: async (diffId) => (await store.layers.get(diffId))?.tarSize,
  })
  await using intake = store.operation({ purpose: 'load' })
  const admission = await openAdmission(context)
  const loaded: LoadedImage[] = []
  const refused: BaleError[] = []
  for (const image of archive.images()) {
    const { descriptor } = image
    const names = image.names.map((name) => imageName(parseReference(name)))
    for (const name of image.oddNames)
      options.progress?.({
        kind: 'warning',
        text: `loaded without the name "${printable(name, 200)}", which is not a valid name`,
      })
    if (admission) await admission.loaded(names, await archive.resolve(descriptor.digest), archive, options)
    const copying = { ...options, platform, strictPlatform, imagesOnly: true, act: 'load' as const }
    try {
      const { manifestDescriptor } = await copyImage(archive, intake, {
        ...copying,
        name: descriptor.digest,
        shownName: names[0] && familiarName(names[0]),
        isHeld: (entry) => archive.holds(entry),
      })
      loaded.push(...(await nameLoaded(store, names, manifestDescriptor ?? descriptor)))
    } catch (error) {
      // A chart among the images, or an image for other platforms, does not prevent loading the others.
      if (!isBaleError(error, 'UNSUPPORTED') && !isBaleError(error, 'NO_MATCHING_PLATFORM')) throw error
      refused.push(error)
    }
  }
  if (loaded.length === 0 && refused[0]) throw refused[0]
  for (const { message } of refused) options.progress?.({ kind: 'warning', text: `not loaded: ${message}` })
  return loaded
}

async function nameLoaded(store: Store, names: readonly ImageName[], target: Descriptor): Promise<LoadedImage[]> {
  for (const name of names) await store.images.setName(name, target)
  const { id } = (await store.images.get(target.digest))!
  await store.images.announce('load', id)
  if (names.length === 0) return [{ id }]
  return names.map((name) => ({ name: familiarName(name), id }))
}
