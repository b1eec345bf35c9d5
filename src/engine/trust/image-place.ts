import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { BaleError, isBaleError, type OperationOptions, printable } from '#base'
import { checkedManifest, chooseImage, type ImageSource, type ReadManifest } from '#image'
import {
  type Digest,
  familiarName,
  fullName,
  type Platform,
  parsePlatform,
  parseReference,
  type Reference,
  withDefaultTag,
} from '#spec'
import type { Store } from '#store'
import type { LayerFiles } from '#trust/inventory'
import type { EngineContext } from '../context/context.ts'

/** One image, wherever it is, opened for reading. */
export interface OpenedImage extends AsyncDisposable {
  /** As people know it: `webserver:1`, `registry.example/team/web:1`, a path. */
  readonly name: string
  /** Its name in a registry, as it was asked for or as the store has it; an archive's own word for it does not count. */
  readonly reference?: Reference
  readonly source: ImageSource
  /** The image for the platform. */
  readonly manifest: ReadManifest
  /** Layers that need not be read from the source, since the store has them. */
  layerAtHand(diffId: Digest): Promise<LayerFiles | undefined>
}

export interface ImagePlaceOptions extends OperationOptions {
  platform?: string
}

interface Place {
  readonly name: string
  readonly reference?: Reference
  readonly source: ImageSource
  /** What the source calls the image. */
  readonly key: string | undefined
  close?(): PromiseLike<void>
}

/**
 * Opens an image by what a user typed: a name or ID of the store; `docker://NAME` in its registry; a tar archive by its path
 * or as `docker-archive:PATH[:NAME]`; `oci-layout://DIRECTORY[:TAG]`. The image is held until it is disposed of.
 */
export async function openImage(
  context: EngineContext,
  text: string,
  { platform, signal }: ImagePlaceOptions = {},
): Promise<OpenedImage> {
  const wanted = platform === undefined ? context.platform : parsePlatform(platform)
  const place = await openPlace(context, text, wanted, { signal })
  try {
    const found = checkedManifest(await place.source.resolve(place.key, { signal }))
    const choice = { platform: wanted, imagesOnly: true, shownName: place.name, signal }
    const manifest = await chooseImage(place.source, found, choice)
    return {
      ...place,
      manifest,
      layerAtHand: (diffId) => layerOfStore(context, diffId),
      [Symbol.asyncDispose]: async () => void (await place.close?.()),
    }
  } catch (error) {
    await place.close?.()
    throw error
  }
}

const REGISTRY = 'docker://'
const LAYOUT = 'oci-layout://'
const ARCHIVE = /^(?:docker|oci)-archive:/

function openPlace(
  context: EngineContext,
  text: string,
  platform: Platform,
  options: OperationOptions,
): Promise<Place> {
  if (text.startsWith(REGISTRY)) return openRemote(context, text.slice(REGISTRY.length))
  if (text.startsWith(LAYOUT)) return openLayoutPlace(text.slice(LAYOUT.length))
  if (ARCHIVE.test(text)) return openArchivePlace(text.replace(ARCHIVE, ''), options)
  if (looksLikeFile(text)) return openArchivePlace(text, options)
  return openStored(context, text, platform)
}

/** A path rather than a name: it says so, or ends as archives do and is there. */
function looksLikeFile(text: string): boolean {
  if (/^(?:\.{0,2}\/)/.test(text)) return true
  return /\.(?:tar|tgz|tar\.(?:gz|zst|xz|bz2))$/.test(text) && existsSync(text)
}

async function openRemote(context: EngineContext, name: string): Promise<Place> {
  const reference = withDefaultTag(parseReference(name))
  const { openRegistry } = await import('../registries/open-registry.ts')
  const source = await openRegistry(context, reference, { typed: name })
  return {
    name: familiarName(reference),
    reference,
    source,
    key: reference.digest ?? reference.tag,
    close: () => source[Symbol.asyncDispose](),
  }
}

async function openLayoutPlace(text: string): Promise<Place> {
  const { openLayout } = await import('#transport')
  const { path, rest } = splitPath(text)
  return { name: text, source: await openLayout(resolve(path)), key: rest }
}

async function openArchivePlace(text: string, options: OperationOptions): Promise<Place> {
  const { path, rest } = existsSync(text) ? { path: text, rest: undefined } : splitPath(text)
  if (!existsSync(path)) throw new BaleError('PATH_NOT_FOUND', `open ${printable(path)}: no such file or directory`)
  if (statSync(path).isDirectory())
    throw new BaleError('INVALID_ARGUMENT', `${printable(path)} is a directory, not an image archive`, {
      hint: `an OCI image layout is named oci-layout://${printable(path)}`,
    })
  const reference = rest === undefined ? undefined : withDefaultTag(parseReference(rest))
  const { openArchive } = await import('#transport')
  const archive = await openArchive(path, { signal: options.signal })
  const names = archive.images().flatMap((image) => image.names)
  if (rest === undefined && archive.images().length > 1) {
    await archive[Symbol.asyncDispose]()
    throw new BaleError('INVALID_ARGUMENT', `${printable(path)} holds ${archive.images().length} images`, {
      hint: `name one: docker-archive:${printable(path)}:${names[0] ?? 'NAME'}`,
    })
  }
  const only = archive.images()[0]?.descriptor.digest
  const key = reference ? fullName(reference) : only
  return { name: text, reference, source: archive, key, close: () => archive[Symbol.asyncDispose]() }
}

/** `PATH:NAME`: the first colon after the last slash of the part that is there. */
function splitPath(text: string): { path: string; rest: string | undefined } {
  for (let colon = text.indexOf(':'); colon >= 0; colon = text.indexOf(':', colon + 1)) {
    const path = text.slice(0, colon)
    if (existsSync(path)) return { path, rest: text.slice(colon + 1) }
  }
  return { path: text, rest: undefined }
}

async function openStored(context: EngineContext, text: string, platform: Platform): Promise<Place> {
  const store = await context.store()
  const { image, name } = await found(store, text, platform)
  const operation = store.operation({ purpose: 'scan' })
  await operation.pin('document', image.descriptor.digest)
  return {
    name: text,
    reference: name ?? image.names[0] ?? image.repoDigests[0],
    source: store,
    key: image.descriptor.digest,
    close: () => operation[Symbol.asyncDispose](),
  }
}

async function found(store: Store, text: string, platform: Platform) {
  try {
    return await store.images.find(text, { platform })
  } catch (error) {
    if (!isBaleError(error, 'IMAGE_NOT_FOUND')) throw error
    throw new BaleError('IMAGE_NOT_FOUND', error.message, {
      hint: `an image of a registry is named ${REGISTRY}${printable(text)}, an archive by its path`,
      cause: error,
    })
  }
}

async function layerOfStore(context: EngineContext, diffId: Digest): Promise<LayerFiles | undefined> {
  const store = await context.existingStore()
  const record = await store?.layers.get(diffId)
  if (!store || record?.format !== 'erofs') return undefined
  const [{ openLayerImage }, { imageLayer }] = await Promise.all([import('#rootfs'), import('#trust/inventory')])
  await store.layers.ensureVerified(diffId)
  return imageLayer(() => openLayerImage(record.directory))
}
