import { BaleError, isBaleError, type OperationOptions } from '#base'
import { makeIndex } from '#image'
import {
  type Descriptor,
  familiarName,
  formatPlatform,
  fullName,
  type ImageIndex,
  imageName,
  isIndexType,
  MediaType,
  type Platform,
  parseManifest,
  parsePlatform,
  type Reference,
} from '#spec'
import type { EngineContext } from './context/context.ts'
import { listMembers, listName, originOf } from './list-member.ts'

/** How the registries of a list's members are reached. */
export interface ListOptions extends OperationOptions {
  /** Registries of members that are not in the store may be used without TLS. */
  insecure?: boolean
}

/** Joins images of the store or of registries under a name: an index that `pushManifestList` can send. */
export async function createManifestList(
  context: EngineContext,
  list: string,
  members: readonly string[],
  options: ListOptions & { amend?: boolean } = {},
): Promise<{ name: string }> {
  const name = listName(list)
  const known = await findList(context, name)
  if (known && !options.amend) {
    throw new BaleError('CONFLICT', `manifest list ${familiarName(name)} already exists`, {
      next: { act: 'amend-list', name: familiarName(name) },
    })
  }
  await extend(context, name, known?.manifests ?? [], members, options)
  return { name: fullName(name) }
}

/** Adds images to a list; one that it has already, by digest or by the name it was added with, is replaced. */
export async function addToManifestList(
  context: EngineContext,
  list: string,
  members: readonly string[],
  options: ListOptions = {},
): Promise<{ name: string }> {
  const name = listName(list)
  await extend(context, name, (await requireList(context, name)).manifests, members, options)
  return { name: fullName(name) }
}

/** Corrections of a platform. An empty value removes the member; a missing one leaves it unchanged. */
export interface PlatformChange {
  os?: string
  architecture?: string
  variant?: string
  osVersion?: string
  osFeatures?: readonly string[]
}

/** Corrects the platform that a list has for one of its images, which is named as it was when it was added, or by digest. */
export async function annotateManifestList(
  context: EngineContext,
  list: string,
  member: string,
  change: PlatformChange,
): Promise<void> {
  const name = listName(list)
  const { manifests } = await requireList(context, name)
  const wanted = listName(member)
  const index = manifests.findIndex((entry) => {
    const origin = originOf(entry)
    return (wanted.digest && entry.digest === wanted.digest) || (origin && fullName(origin) === fullName(wanted))
  })
  const entry = manifests[index]
  if (!entry) {
    throw new BaleError(
      'MANIFEST_NOT_FOUND',
      `manifest for image ${familiarName(wanted)} does not exist in ${familiarName(name)}`,
      {
        next: { act: 'inspect-list', name: familiarName(name) },
      },
    )
  }
  await save(context, name, manifests.with(index, { ...entry, platform: changed(entry.platform, change) }))
}

/** Removes the name of a list; its images stay. */
export async function removeManifestList(context: EngineContext, list: string): Promise<void> {
  const name = listName(list)
  await requireList(context, name)
  await (await context.store()).images.removeName(imageName(name))
}

export async function requireList(context: EngineContext, name: Reference): Promise<ImageIndex> {
  const found = await findList(context, name)
  if (found) return found
  throw new BaleError('MANIFEST_NOT_FOUND', `No such manifest list: ${familiarName(name)}`, {
    next: { act: 'create-list', name: familiarName(name) },
  })
}

/** The index of this name in the store. CONFLICT when the name is that of a single image. */
async function findList(context: EngineContext, name: Reference): Promise<ImageIndex | undefined> {
  const store = await context.store()
  const target = await store.images.target(name).catch((error: unknown) => {
    if (isBaleError(error, 'IMAGE_NOT_FOUND')) return undefined
    throw error
  })
  if (!target) return undefined
  if (!isIndexType(target.mediaType)) {
    throw new BaleError('CONFLICT', `${familiarName(name)} is an image, not a manifest list`, {
      next: { act: 'untag-image', name: familiarName(name) },
      hint: 'or choose another name for the list',
    })
  }
  const parsed = parseManifest(await store.manifest(target), target.mediaType)
  return parsed.kind === 'index' ? parsed.index : undefined
}

async function extend(
  context: EngineContext,
  name: Reference,
  known: readonly Descriptor[],
  members: readonly string[],
  options: ListOptions,
): Promise<void> {
  let entries = [...known]
  for (const member of members) {
    const found = await listMembers(context, member, options)
    // A tag that moved since it was added now means its new image; a digest is in a list once.
    const replaced = new Set(found.flatMap((entry) => [entry.digest, ...originName(entry)]))
    entries = entries.filter((entry) => ![entry.digest, ...originName(entry)].some((key) => replaced.has(key)))
    entries.push(...found)
  }
  await save(context, name, entries)
}

/** The name that an entry was added by. */
function originName(entry: Descriptor): string[] {
  const origin = originOf(entry)
  return origin?.tag ? [fullName(origin)] : []
}

async function save(context: EngineContext, name: Reference, manifests: readonly Descriptor[]): Promise<void> {
  const { descriptor, bytes } = makeIndex(manifests, { mediaType: indexTypeFor(manifests) })
  const store = await context.store()
  await using intake = store.operation({ purpose: 'manifest list' })
  await intake.putManifest(descriptor, bytes)
  await store.images.setName(imageName(name), descriptor)
}

/** Images of docker's type alone make docker's list, which the oldest registries take too. */
export function indexTypeFor(manifests: readonly Descriptor[]): string {
  const docker = manifests.length > 0 && manifests.every(({ mediaType }) => mediaType === MediaType.dockerManifest)
  return docker ? MediaType.dockerIndex : MediaType.ociIndex
}

/** As it was typed: an empty value removes a member, and `v8` stays where docker's own lists have it. */
function changed(platform: Platform | undefined, change: PlatformChange): Platform {
  const variant = change.variant ?? platform?.variant
  const osVersion = change.osVersion ?? platform?.['os.version']
  const osFeatures = change.osFeatures?.filter((feature) => feature !== '') ?? platform?.['os.features']
  const changed: Platform = {
    os: change.os ?? platform?.os ?? '',
    architecture: change.architecture ?? platform?.architecture ?? '',
    ...(variant && { variant }),
    ...(osVersion && { 'os.version': osVersion }),
    ...(osFeatures?.length && { 'os.features': [...osFeatures] }),
  }
  // A platform that no machine has is an error.
  parsePlatform(formatPlatform(changed))
  return changed
}
