import type { OperationOptions } from '#base'
import { copyImage, makeIndex } from '#image'
import { type Descriptor, type Digest, fullName } from '#spec'
import type { StoreOperation } from '#store'
import type { Repository } from '#transport'
import { compressedTarget } from './compressed-target.ts'
import type { EngineContext } from './context/context.ts'
import { listName, originOf, withoutOrigins } from './list-member.ts'
import { indexTypeFor, type ListOptions, removeManifestList, requireList } from './manifest-list.ts'
import { openRegistry } from './registries/open-registry.ts'

/** Where a list goes, and whether it stays here. */
export interface PushListOptions extends ListOptions {
  /** The destination, when it is not the list's own name. */
  destination?: string
  /** The local list goes after the push. */
  purge?: boolean
}

/**
 * Sends a list with all its images to a registry: those of the store from there, the others from the registries that
 * they were named with (mounted, where that is the same one).
 */
export async function pushManifestList(
  context: EngineContext,
  list: string,
  options: PushListOptions = {},
): Promise<{ name: string; digest: Digest }> {
  const name = listName(list)
  const { manifests } = await requireList(context, name)
  const destination = options.destination === undefined ? name : listName(options.destination)
  const store = await context.store()
  await using repository = await openRegistry(context, destination, { ...options, writing: true })
  await using intake = store.operation({ purpose: 'push' })
  const sent: Descriptor[] = []
  for (const entry of manifests) sent.push(await pushEntry(context, intake, entry, repository, options))
  const { descriptor, bytes } = makeIndex(withoutOrigins(sent), { mediaType: indexTypeFor(sent) })
  await repository.putManifest(descriptor, bytes, options)
  if (destination.tag) await repository.tag(destination.tag, { descriptor, bytes }, options)
  await intake.putManifest(descriptor, bytes)
  await store.images.addRepoDigest(destination, descriptor.digest)
  if (options.purge) await removeManifestList(context, list)
  return { name: fullName(destination), digest: descriptor.digest }
}

/** The entry as the registry has it afterwards: with compressed layers when it was made here. */
async function pushEntry(
  context: EngineContext,
  intake: StoreOperation,
  entry: Descriptor,
  repository: Repository,
  options: OperationOptions & { insecure?: boolean },
): Promise<Descriptor> {
  const store = await context.store()
  const { signal, progress } = options
  const copying = { signal, progress, act: 'push' as const, all: true }
  if (await intake.hold(entry)) {
    const compressing = { signal, progress, ahead: repository }
    const { mediaType, digest, size } = await compressedTarget(store, intake, entry, compressing)
    await copyImage(store, repository, { ...copying, name: digest })
    await store.images.addRepoDigest(repositoryAddress(repository), digest)
    return { ...entry, mediaType, digest, size }
  }
  await using origin = await openRegistry(context, originOf(entry) ?? repositoryAddress(repository), options)
  await copyImage(origin, repository, { ...copying, name: entry.digest })
  return entry
}

function repositoryAddress({ registryHost, repository }: Repository) {
  return { registry: registryHost, repository }
}
