import type { OperationOptions } from '#base'
import { copyImage } from '#image'
import { fullName, type ImageName, type Platform, parsePlatform, parseReference, repositoryName } from '#spec'
import type { FoundImage, Store } from '#store'
import type { EngineContext } from './context/context.ts'
import { nameAsTyped } from './name-as-typed.ts'
import { checkImagesOutput, type ImagesOutput, openImagesTarget } from './open-images-target.ts'

/**
 * Writes images to one tar archive that docker, podman and skopeo read (OCI blobs and index, docker's manifest.json and
 * `repositories`), or into an OCI image layout. Layers that several images share are written once. Compressed layers are copied as they are held. A name
 * without tag or digest selects all tags of its repository.
 */
export async function saveImages(
  context: EngineContext,
  names: readonly string[],
  to: ImagesOutput,
  options: OperationOptions & { platform?: string } = {},
): Promise<void> {
  const platform = options.platform === undefined ? context.platform : parsePlatform(options.platform)
  checkImagesOutput(to)
  const store = await context.store()
  // All names are looked up before the first byte is written.
  const found = (await Promise.all(names.map((name) => imagesNamed(store, name, platform)))).flat()
  await using operation = store.operation({ purpose: 'save' })
  for (const { image } of found) await operation.pin('document', image.descriptor.digest)
  await using target = await openImagesTarget(to)
  for (const { image, name } of found) {
    await copyImage(store, target, {
      ...options,
      name: image.descriptor.digest,
      // A digest is no name in an archive or layout.
      targetName: name === undefined || name.digest ? undefined : fullName(name),
      platform: image.platform,
      act: 'save',
    })
  }
  await target.finish()
  for (const { image } of found) await store.images.announce('save', image.id)
}

/** A repository without tag or digest selects all its tags, as in docker. */
async function imagesNamed(store: Store, text: string, platform: Platform): Promise<FoundImage[]> {
  const tagged = isImageId(text) ? [] : await tagsOf(store, text)
  const texts = tagged.length > 0 ? tagged : [text]
  return Promise.all(texts.map((one) => nameAsTyped(text, store.images.find(one, { platform }))))
}

const isImageId = (text: string) => /^sha256:[0-9a-f]*$/.test(text)

async function tagsOf(store: Store, text: string): Promise<ImageName[]> {
  const reference = parseReference(text)
  if (reference.tag || reference.digest) return []
  const repository = repositoryName(reference)
  return (await store.images.names()).map(({ name }) => name).filter((name) => repositoryName(name) === repository)
}
