import type { OperationOptions } from '#base'
import { copyImage, loadWords } from '#image'
import { type Digest, familiarName, parsePlatform, parseReference } from '#spec'
import type { EngineContext } from './context.ts'
import { openInput } from './open-input.ts'

export interface LoadedImage {
  /** As people type it; undefined when the archive does not tell a name. */
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
  const store = await context.store()
  const { openArchive } = await import('#transport')
  const input = typeof source === 'string' ? source : await openInput(context, source, options)
  await using archive = await openArchive(input, { temporary: `${store.root}/tmp`, signal: options.signal })
  const loaded: LoadedImage[] = []
  for (const { names, descriptor } of archive.images()) {
    const { manifestDescriptor } = await copyImage(archive, store, {
      ...options,
      name: descriptor.digest,
      platform,
      words: loadWords,
    })
    const target = manifestDescriptor ?? descriptor
    for (const name of names) await store.images.setName(name, target)
    const image = await store.images.get(target.digest, { platform })
    if (!image) continue
    if (names.length === 0) loaded.push({ id: image.id })
    for (const name of names) loaded.push({ name: familiarName(parseReference(name)), id: image.id })
  }
  return loaded
}
