import type { Writable } from 'node:stream'
import type { OperationOptions } from '#base'
import { copyImage, saveWords } from '#image'
import { parsePlatform } from '#spec'
import type { EngineContext } from './context.ts'
import { nameAsTyped } from './name-as-typed.ts'

/** A file is written under a temporary name and appears only when it is complete. */
export type SaveTarget = { file: string } | { stream: Writable }

/**
 * Writes images to one tar archive that docker, podman and skopeo read: OCI blobs and index, docker's manifest.json and
 * `repositories`. Layers that several images share are written once. Compressed layers are copied as they are held.
 */
export async function saveImages(
  context: EngineContext,
  names: readonly string[],
  target: SaveTarget,
  options: OperationOptions & { platform?: string } = {},
): Promise<void> {
  const platform = options.platform === undefined ? context.platform : parsePlatform(options.platform)
  const store = await context.store()
  // All names are looked up before the first byte is written.
  const found = await Promise.all(names.map((name) => nameAsTyped(name, store.images.find(name, { platform }))))
  await using lease = await store.lease({ purpose: 'save' })
  for (const { image } of found) await lease.add('document', image.descriptor.digest)
  const { createArchiveTarget } = await import('#transport')
  await using archive = await createArchiveTarget('file' in target ? target.file : target.stream)
  for (const { image, name } of found) {
    await copyImage(store, archive, {
      ...options,
      name: image.descriptor.digest,
      targetName: name,
      platform: image.platform,
      words: saveWords,
    })
  }
  await archive.finish()
}
