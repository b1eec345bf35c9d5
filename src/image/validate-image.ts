import { asError, BaleError, isBaleError, mapLimited, type OperationOptions } from '#base'
import { createHasher, verifying } from '#blob'
import {
  algorithmOf,
  checkConfigMatches,
  type Descriptor,
  type Digest,
  historyObjection,
  layerCompression,
} from '#spec'
import type { ImageSource } from './image-place.ts'
import { type ReadManifest, readImageConfig, readManifest } from './read-documents.ts'

/** What is wrong with an image, and with which of its parts. */
export interface ImageProblem {
  /** `manifest`, `config`, `layer`, `history`. */
  part: string
  digest: Digest
  error: BaleError
}

const DEPTH_LIMIT = 4

/**
 * Reads an image, or an index with all its images, completely, and reports every problem: digests, sizes,
 * documents, layers that do not unpack to their diff IDs. An empty list means that the image is sound.
 */
export async function validateImage(
  source: ImageSource,
  options: OperationOptions & { name?: string } = {},
): Promise<ImageProblem[]> {
  const { descriptor } = await source.resolve(options.name, options)
  const problems: ImageProblem[] = []
  await validateManifest({ source, options, problems, seen: new Set() }, descriptor, 0)
  return problems
}

interface Validation {
  source: ImageSource
  options: OperationOptions
  problems: ImageProblem[]
  seen: Set<Digest>
}

async function validateManifest(run: Validation, descriptor: Descriptor, depth: number): Promise<void> {
  if (run.seen.has(descriptor.digest)) return
  run.seen.add(descriptor.digest)
  const read = await attempt(run, 'manifest', descriptor.digest, () =>
    readManifest(run.source, descriptor, run.options),
  )
  if (read?.kind === 'manifest') await validateContent(run, read)
  if (read?.kind !== 'index') return
  if (depth >= DEPTH_LIMIT) {
    const error = new BaleError('LIMIT_EXCEEDED', `index is nested deeper than ${DEPTH_LIMIT} indexes`)
    run.problems.push({ part: 'manifest', digest: descriptor.digest, error })
    return
  }
  for (const { platform: _, ...child } of read.index.manifests) await validateManifest(run, child, depth + 1)
}

async function validateContent(run: Validation, { manifest }: ReadManifest & { kind: 'manifest' }): Promise<void> {
  const { source, options } = run
  const read = await attempt(run, 'config', manifest.config.digest, async () => {
    const found = await readImageConfig(source, manifest, options)
    if (found) checkConfigMatches(manifest, found.config)
    return found
  })
  const objection = read && historyObjection(read.config)
  if (objection) {
    run.problems.push({
      part: 'history',
      digest: manifest.config.digest,
      error: new BaleError('INVALID_MANIFEST', objection),
    })
  }
  const work = (layer: Descriptor, index: number) =>
    attempt(run, 'layer', layer.digest, () => validateLayer(run, layer, read?.config.rootfs.diff_ids[index]))
  await mapLimited(manifest.layers, 2, (layer, { index }) => work(layer, index), { signal: options.signal })
}

async function validateLayer({ source, options }: Validation, layer: Descriptor, diffId?: Digest): Promise<void> {
  const bytes = verifying(await source.blob(layer, options), layer)
  if (diffId === undefined || layerCompression(layer.mediaType) === undefined) {
    for await (const _ of bytes) options.signal?.throwIfAborted()
    return
  }
  const hasher = createHasher(algorithmOf(diffId))
  const { decompressAny } = await import('#format/compression')
  for await (const chunk of decompressAny(bytes, options)) hasher.update(chunk)
  const found = hasher.digest()
  if (found === diffId) return
  throw new BaleError('DIGEST_MISMATCH', `layer ${layer.digest} unpacks to ${found}, but the config names ${diffId}`)
}

/** A failure is recorded and the rest continues; only cancellation ends everything. */
async function attempt<T>(
  run: Validation,
  part: string,
  digest: Digest,
  task: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await task()
  } catch (thrown) {
    run.options.signal?.throwIfAborted()
    const error = isBaleError(thrown) ? thrown : new BaleError('INTERNAL', asError(thrown).message, { cause: thrown })
    run.problems.push({ part, digest, error })
    return undefined
  }
}
