import { BaleError, type OperationOptions, printable } from '#base'
import type { DescribedBase } from '#build'
import { checkedManifest, choosePlatform, readImageConfig, readManifest } from '#image'
import { formatPlatform, type Platform, parseReference, withDefaultTag, writtenPlatform } from '#spec'
import type { EngineContext } from './context/context.ts'
import { openRegistry } from './registries/open-registry.ts'

/** An image in a registry, as described by its manifest and config; no layer is fetched. Throws MANIFEST_NOT_FOUND. */
export async function describeRemote(
  context: EngineContext,
  name: string,
  { platform, signal }: OperationOptions & { platform: Platform },
): Promise<DescribedBase['image']> {
  const reference = withDefaultTag(parseReference(name))
  await using repository = await openRegistry(context, reference, { typed: name })
  let read = checkedManifest(await repository.resolve(reference.digest ?? reference.tag, { signal }))
  if (read.kind === 'index') read = await readManifest(repository, choosePlatform(read.index, platform), { signal })
  const image = read.kind === 'manifest' ? await readImageConfig(repository, read.manifest, { signal }) : undefined
  if (read.kind !== 'manifest' || !image) {
    throw new BaleError('MANIFEST_NOT_FOUND', `${printable(name)} is not an image for ${formatPlatform(platform)}`)
  }
  const { config } = image
  return { id: read.manifest.config.digest, config, platform: writtenPlatform(config) }
}
