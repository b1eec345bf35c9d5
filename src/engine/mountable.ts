import type { ImageSource, LocalFiles, RegistryPlace } from '#image'
import { type Descriptor, isManifestType, type Reference } from '#spec'
import type { Store } from '#store'

/**
 * The store as the source of a push. Where another repository of the same registry is known to hold layers of the image
 * (its base was pulled from or pushed to there), the source reports it, and the registry links them instead of receiving them.
 */
export async function mountable(
  store: Store,
  { digest, mediaType }: Descriptor,
  target: Pick<Reference, 'registry' | 'repository'>,
): Promise<ImageSource & Partial<RegistryPlace> & LocalFiles> {
  const source: ImageSource & LocalFiles = {
    resolve: (name, options) => store.resolve(name, options),
    manifest: (descriptor, options) => store.manifest(descriptor, options),
    blob: (descriptor, options) => store.blob(descriptor, options),
    localFile: (descriptor) => store.localFile(descriptor),
  }
  const image = isManifestType(mediaType) ? await store.images.get(digest) : undefined
  const layers = new Set(image?.manifest.layers.map((layer) => layer.digest))
  let best: { repository: string; shared: number } | undefined
  for (const known of layers.size > 0 ? await store.images.list() : []) {
    const shared = known.manifest.layers.filter((layer) => layers.has(layer.digest)).length
    if (shared <= (best?.shared ?? 0)) continue
    const repository = repositoriesIn(target.registry, known.repoDigests).find((one) => one !== target.repository)
    if (repository) best = { repository, shared }
  }
  return best ? { ...source, registryHost: target.registry, repository: best.repository } : source
}

/** Repositories of one registry. */
function repositoriesIn(registry: string, repoDigests: readonly Reference[]): string[] {
  return repoDigests.filter((name) => name.registry === registry).map(({ repository }) => repository)
}
