import { BaleError, isBaleError } from '#base'
import { copyImage } from '#image'
import {
  DEFAULT_TAG,
  type Descriptor,
  type Digest,
  familiarName,
  fullName,
  type ImageName,
  isIndexType,
  parseReference,
  type Reference,
  repositoryName,
  withTag,
} from '#spec'
import type { Store } from '#store'
import { type CompressionOptions, compressedTarget } from './compressed-target.ts'
import type { EngineContext } from './context/context.ts'
import { mountable } from './mountable.ts'
import { mustNameNoTag } from './must-name-no-tag.ts'
import { openRegistry } from './registries/open-registry.ts'

/** Which images of a repository are pushed. */
export interface PushOptions extends CompressionOptions {
  /** Every tag of the repository that the store has. */
  allTags?: boolean
}

/** An image that the registry has now. */
export interface PushedImage {
  /** Full name: `localhost:5000/team/web:latest`. */
  name: string
  digest: Digest
  /** Bytes of the manifest or index. */
  size: number
}

/**
 * Sends an image, or all images of a repository, to its registry. Layers made here are compressed now, once; what came
 * from a registry goes back byte for byte, under the same digest.
 */
export async function pushImage(
  context: EngineContext,
  name: string,
  options: PushOptions = {},
): Promise<PushedImage[]> {
  const reference = parseReference(name)
  if (reference.digest) throw new BaleError('INVALID_REFERENCE', 'cannot push a digest reference')
  if (options.allTags) mustNameNoTag(reference)
  const { signal, progress } = options
  const store = await context.store()
  progress?.({ kind: 'image', phase: 'pushing', repository: repositoryName(reference) })
  const references = options.allTags
    ? await localTags(store, reference)
    : [withTag(reference, reference.tag ?? DEFAULT_TAG)]
  const targets = await Promise.all(references.map((one) => targetOf(store, one)))
  await using repository = await openRegistry(context, reference, { writing: true })
  await using intake = store.operation({ purpose: 'push' })
  const pushed: PushedImage[] = []
  for (const [index, one] of references.entries()) {
    const descriptor = await compressedTarget(store, intake, targets[index]!, { ...options, ahead: repository })
    await copyImage(await mountable(store, descriptor, reference), repository, {
      signal,
      progress,
      name: descriptor.digest,
      targetName: one.tag,
      all: isIndexType(descriptor.mediaType),
      act: 'push',
    })
    // From now on the name refers to the registry's manifest, so that the next push has nothing to send.
    if (descriptor.digest !== targets[index]!.digest) await store.images.setName(one, descriptor)
    await store.images.addRepoDigest(one, descriptor.digest)
    await store.images.announce('push', descriptor.digest, one)
    const { digest, size } = descriptor
    progress?.({ kind: 'image', phase: 'pushed', tag: one.tag, digest, size })
    pushed.push({ name: fullName(one), digest, size })
  }
  return pushed
}

async function localTags(store: Store, reference: Reference): Promise<ImageName[]> {
  const repository = repositoryName(reference)
  const names = (await store.images.names()).map(({ name }) => name)
  const own = names.filter((name) => repositoryName(name) === repository)
  if (own.length > 0) return own
  throw new BaleError('IMAGE_NOT_FOUND', `An image does not exist locally with the tag: ${familiarName(reference)}`)
}

async function targetOf(store: Store, reference: Reference): Promise<Descriptor> {
  try {
    return await store.images.target(reference)
  } catch (error) {
    if (!isBaleError(error, 'IMAGE_NOT_FOUND')) throw error
    const { registry, repository } = reference
    const name = familiarName({ registry, repository })
    throw new BaleError('IMAGE_NOT_FOUND', `An image does not exist locally with the tag: ${name}`, {
      cause: error,
      next: { act: 'tag', name: familiarName(reference) },
    })
  }
}
