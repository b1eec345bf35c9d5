import { isBaleError, type OperationOptions } from '#base'
import {
  checkedManifest,
  type ImageSource,
  imagesOf,
  type RawManifest,
  type ReadManifest,
  readImageConfig,
  readManifest,
} from '#image'
import {
  type Descriptor,
  familiarName,
  fullName,
  isDigest,
  isIndexType,
  MANIFEST_LIMIT,
  parseStrictJson,
  type Reference,
  writtenPlatform,
} from '#spec'
import type { EngineContext } from './context/context.ts'
import { listName, withoutOrigins } from './list-member.ts'
import { openRegistry } from './registries/open-registry.ts'

/** A manifest or index with its descriptor and its document as it was written. */
export interface InspectedManifest {
  /** `localhost:5000/team/web:1`. */
  name: string
  descriptor: Descriptor
  /** The parsed JSON of the manifest or index. */
  document: Record<string, unknown>
  /** With `verbose`: the images of an index, or the one image itself; `descriptor` has its platform. */
  images?: { name: string; descriptor: Descriptor; document: Record<string, unknown> }[]
}

/**
 * The manifest or index that a name refers to: a local manifest list, otherwise the registry's,
 * otherwise (if the registry does not have it or is unreachable) the image in the store.
 */
export async function inspectManifest(
  context: EngineContext,
  text: string,
  options: OperationOptions & { insecure?: boolean; verbose?: boolean } = {},
): Promise<InspectedManifest> {
  const store = await context.store()
  const local = await store.images.target(text).catch((error: unknown) => {
    if (isBaleError(error, 'IMAGE_NOT_FOUND') || isBaleError(error, 'INVALID_REFERENCE')) return undefined
    throw error
  })
  const inspectLocal = async (found: Descriptor) =>
    inspect(store, await readManifest(store, found, options), text, options)
  if (local && (isIndexType(local.mediaType) || isDigest(text))) return inspectLocal(local)
  const reference = listName(text)
  await using repository = await openRegistry(context, reference, options)
  let found: RawManifest
  try {
    found = await repository.resolve(reference.digest ?? reference.tag, options)
  } catch (error) {
    if (!local || !WITHOUT_REGISTRY.some((code) => isBaleError(error, code))) throw error
    options.progress?.({ kind: 'warning', text: `shown from the local store: ${(error as Error).message}` })
    return inspectLocal(local)
  }
  return await inspect(repository, checkedManifest(found), familiarName(reference), options, reference)
}

const WITHOUT_REGISTRY = ['MANIFEST_NOT_FOUND', 'REGISTRY_UNREACHABLE', 'UNAUTHORIZED', 'DENIED'] as const

async function inspect(
  source: ImageSource,
  read: ReadManifest,
  name: string,
  options: OperationOptions & { verbose?: boolean },
  reference?: Reference,
): Promise<InspectedManifest> {
  const { descriptor } = read
  const found = { name, descriptor, document: documentOf(read) }
  if (!options.verbose) return found
  if (read.kind === 'manifest') {
    const platform = await platformOf(source, read, options)
    return { ...found, images: [{ ...found, descriptor: { ...descriptor, platform } }] }
  }
  const images = []
  for (const { platform, ...entry } of withoutOrigins(imagesOf(read.index))) {
    const part = await readManifest(source, entry, options)
    const partName = reference
      ? fullName({ ...reference, tag: undefined, digest: entry.digest })
      : `${name}@${entry.digest}`
    images.push({ name: partName, descriptor: { ...entry, platform }, document: documentOf(part) })
  }
  return { ...found, images }
}

async function platformOf(source: ImageSource, read: ReadManifest, { signal }: OperationOptions) {
  if (read.kind !== 'manifest') return undefined
  const image = await readImageConfig(source, read.manifest, { signal })
  if (!image) return undefined
  return writtenPlatform(image.config)
}

/** Members in the document's own order, unknown ones included; notes of this machine left out. */
function documentOf(read: ReadManifest): Record<string, unknown> {
  const raw = parseStrictJson(read.bytes, { limit: MANIFEST_LIMIT, what: 'manifest' }) as Record<string, unknown>
  if (read.kind !== 'index') return raw
  return { ...raw, manifests: withoutOrigins(raw['manifests'] as Descriptor[]) }
}
