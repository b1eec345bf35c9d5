import { join } from 'node:path'
import { BaleError, type OperationOptions, printable, readAll } from '#base'
import { verifying } from '#blob'
import { decompress } from '#format'
import { makeDirectory, openOutput, pourInto, temporaryDirectory, withNoSpace } from '#host/file'
import { checkedManifest, type ImageSource } from '#image'
import type { Descriptor } from '#spec'
import { damagedBundle } from '../file/bundle-error.ts'
import { openBundle } from '../file/open-bundle.ts'
import { type BundleConfig, bundleParts, CONFIG_LIMIT, readBundleConfig } from './bundle-documents.ts'
import { admitted, type InstalledBundle, type InstallOptions, putInPlace } from './install-bundle.ts'

/** How a bundle is taken from a place. */
interface PullOptions extends OperationOptions, InstallOptions {
  /** What the place calls it; the only one by default. */
  name?: string
  /** Asked about the manifest before anything that it names is read; a throw refuses the bundle. */
  verify?(manifest: Descriptor): Promise<void>
}

/** Bytes of the file. */
const LIMIT = 8 * 2 ** 30

/**
 * Installs the bundle of a place into a directory, as `installBundle` does: what comes has the digests that the manifest says,
 * and the file is what the config says. Throws what `verify` throws, CONFLICT for an older one, UNSUPPORTED for another kind or
 * schema, DIGEST_MISMATCH, SIZE_MISMATCH, LIMIT_EXCEEDED, INVALID_ARCHIVE; the former one then stays.
 */
export async function pullBundle(
  source: ImageSource,
  directory: string,
  options: PullOptions = {},
): Promise<InstalledBundle & { descriptor: Descriptor }> {
  const { name, signal, progress, verify } = options
  const reading = { signal, progress }
  const manifest = checkedManifest(await source.resolve(name, reading))
  const { descriptor } = manifest
  await verify?.(descriptor)
  const shown = name ?? descriptor.digest
  const { config: configDescriptor, layer } = bundleParts(manifest, shown)
  const config = await readConfig(source, configDescriptor, shown, reading)
  if (config.size > LIMIT)
    throw new BaleError(
      'LIMIT_EXCEEDED',
      `the bundle ${printable(shown)} has ${config.size} bytes, more than the limit of ${LIMIT}`,
    )
  const there = admitted(config, directory, options)
  if (there) return { ...there, descriptor }
  makeDirectory(directory)
  await using scratch = await temporaryDirectory(directory, '.advisories-')
  const copy = join(scratch.path, 'bundle')
  await withNoSpace(directory, () => download(source, layer, { to: copy, size: config.size, ...reading }))
  checkAnnounced(copy, config)
  return { ...(await putInPlace(copy, directory, options)), descriptor }
}

async function readConfig(
  source: ImageSource,
  descriptor: Descriptor,
  name: string,
  options: OperationOptions,
): Promise<BundleConfig> {
  if (descriptor.size > CONFIG_LIMIT)
    throw new BaleError('LIMIT_EXCEEDED', `the config of ${printable(name)} has more than ${CONFIG_LIMIT} bytes`)
  const bytes = await readAll(verifying(await source.blob(descriptor, options), descriptor), { limit: CONFIG_LIMIT })
  return readBundleConfig(bytes, name)
}

async function download(
  source: ImageSource,
  layer: Descriptor,
  { to, size, ...options }: OperationOptions & { to: string; size: number },
): Promise<void> {
  const compressed = verifying(await source.blob(layer, options), layer)
  await using output = await openOutput(to)
  await pourInto(
    output,
    decompress(compressed, 'zstd', { limits: { outputBytes: size }, signal: options.signal }),
    options,
  )
}

/** What was judged by the config must be what the file is. */
function checkAnnounced(copy: string, { created, version, size }: BundleConfig): void {
  using bundle = openBundle(copy)
  const { info } = bundle
  if (info.created !== created || info.version !== version)
    throw damagedBundle(`the bundle of ${created} (${size} bytes)`, 'the file is not the one that its config describes')
}
