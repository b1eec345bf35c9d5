import { BaleError, isBaleError, type OperationOptions } from '#base'
import { checkedManifest, type ImageSource, imagesOf, type ReadManifest, readImageConfig, readManifest } from '#image'
import {
  type Descriptor,
  fullName,
  isDigest,
  parseReference,
  type Reference,
  withDefaultTag,
  writtenPlatform,
} from '#spec'
import type { EngineContext } from './context/context.ts'
import { openRegistry } from './registries/open-registry.ts'

/**
 * Annotation on the entries of a local manifest list: the name that the user gave for the entry. The
 * entry is copied from there; the annotation never leaves this machine (`withoutOrigins`).
 */
const ORIGIN = 'io.bale.manifest.origin'

/** A name for a list or its members; docker's default tag applies. */
export function listName(text: string): Reference {
  const reference = parseReference(text)
  return reference.digest ? reference : withDefaultTag(reference)
}

/**
 * The list entries for a name: an image in the store, otherwise in its registry, with its platform; an
 * index gives all its images. Of a registry's image only the documents are fetched.
 */
export async function listMembers(
  context: EngineContext,
  text: string,
  options: OperationOptions & { insecure?: boolean } = {},
): Promise<Descriptor[]> {
  const store = await context.store()
  const local = await store.images.target(text).catch((error: unknown) => {
    if (isBaleError(error, 'IMAGE_NOT_FOUND') && !isDigest(text)) return undefined
    throw error
  })
  if (local) {
    const name = isDigest(text) || /^[0-9a-f]{6,64}$/.test(text) ? undefined : fullName(listName(text))
    return entriesOf(store, await readManifest(store, local, options), name, options)
  }
  const reference = listName(text)
  await using repository = await openRegistry(context, reference, options)
  const found = checkedManifest(await repository.resolve(reference.digest ?? reference.tag, options))
  return await entriesOf(repository, found, fullName(reference), options)
}

async function entriesOf(
  source: ImageSource,
  read: ReadManifest,
  origin: string | undefined,
  options: OperationOptions,
): Promise<Descriptor[]> {
  const { signal } = options
  if (read.kind === 'index') return imagesOf(read.index).map((entry) => withOrigin(entry, origin))
  const image = await readImageConfig(source, read.manifest, { signal })
  if (!image)
    throw new BaleError(
      'INVALID_ARGUMENT',
      `${origin ?? read.descriptor.digest} is not an image, so it has no platform`,
    )
  const platform = writtenPlatform(image.config)
  const { mediaType, digest, size } = read.descriptor
  return [withOrigin({ mediaType, digest, size, platform }, origin)]
}

/** Where an entry came from; undefined for entries of an index that was not made here. */
export function originOf(entry: Descriptor): Reference | undefined {
  const origin = entry.annotations?.[ORIGIN]
  return origin === undefined ? undefined : parseReference(origin)
}

function withOrigin(entry: Descriptor, origin: string | undefined): Descriptor {
  return origin === undefined ? entry : { ...entry, annotations: { ...entry.annotations, [ORIGIN]: origin } }
}

/** The entries as others may see them. */
export function withoutOrigins(entries: readonly Descriptor[]): Descriptor[] {
  return entries.map(({ annotations = {}, ...entry }) => {
    const { [ORIGIN]: _, ...kept } = annotations
    return Object.keys(kept).length > 0 ? { ...entry, annotations: kept } : entry
  })
}
