import { isUrl, type OperationOptions, withoutSecrets } from '#base'
import { makeImage, plainLayer } from '#image'
import { type ContainerConfig, type Digest, fullName, imageName, parsePlatform, parseReference } from '#spec'
import type { EngineContext } from './context/context.ts'
import { openInput } from './open-input.ts'
import { openAdmission } from './trust/open-admission.ts'

/** The name of the imported image, and its configuration. */
export interface ImportOptions extends OperationOptions {
  /** Reference for the new image; without it the image has only its ID. */
  name?: string
  /** Dockerfile instructions that change the config: `CMD ["sh"]`, `ENV A=b`. */
  changes?: readonly string[]
  message?: string
  /** `linux/arm64`; this machine's by default. */
  platform?: string
}

/** Makes an image of one layer from a tar (plain, gzip, zstd, xz, bzip2) in a file, at a URL, or from a stream. */
export async function importImage(
  context: EngineContext,
  source: string | AsyncIterable<Uint8Array>,
  options: ImportOptions = {},
): Promise<{ id: Digest; name?: string }> {
  // All options are checked before a byte is read.
  const reference = options.name === undefined ? undefined : imageName(parseReference(options.name))
  const platform = options.platform === undefined ? context.platform : parsePlatform(options.platform)
  const { applyChanges } = await import('#build')
  const config: ContainerConfig = applyChanges({}, options.changes ?? [])
  const { decompressAny } = await import('#format/compression')
  const store = await context.store()
  const input = await openInput(context, source, options)
  await using intake = store.operation({ purpose: 'import' })
  const layer = await intake.layers.write(decompressAny(input), options)
  const created = creationTime(context)
  const image = makeImage({
    config: {
      ...platform,
      created,
      config,
      history: [{ created, comment: options.message ?? importedFrom(source) }],
    },
    layers: [plainLayer(layer.diffId, layer.tarSize)],
  })
  const stored = await intake.putImage({ config: image.configBytes, manifest: image.manifestBytes })
  await (await openAdmission(context))?.made([stored.descriptor.digest])
  if (reference) await store.images.setName(reference, stored.descriptor, { tagged: true })
  await store.images.announce('import', stored.id)
  return { id: stored.id, name: reference && fullName(reference) }
}

/** SOURCE_DATE_EPOCH makes the same input give the same image. */
export function creationTime(context: EngineContext): string {
  const { sourceDateEpoch } = context.config
  return new Date(sourceDateEpoch === undefined ? context.clock.now() : sourceDateEpoch * 1000).toISOString()
}

/** As docker does it: the location of a file on this machine is private, and must not change the image's ID. */
function importedFrom(source: string | AsyncIterable<Uint8Array>): string {
  return typeof source === 'string' && isUrl(source) ? `Imported from ${withoutSecrets(source)}` : 'Imported from -'
}
