import { BaleError, type CopyAct, mapLimited, type OperationOptions } from '#base'
import { streamOf } from '#blob'
import {
  checkConfigMatches,
  type Descriptor,
  type Digest,
  formatPlatform,
  historyObjection,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  isIndexType,
  isManifestType,
  layerCompression,
  matchPlatform,
  type Platform,
  parseImageConfig,
  platformPreferences,
} from '#spec'
import { choosePlatform, imagesOf } from './choose-platform.ts'
import { copyBlob } from './copy-blob.ts'
import type { CopySelection, ImageSource, ImageTarget, RawManifest } from './image-place.ts'
import {
  artifactTypeOf,
  checkedManifest,
  isImageManifest,
  type ReadManifest,
  readConfigBytes,
  readImageConfig,
  readManifest,
} from './read-documents.ts'

/** Which image is copied, under which name, for which platform. */
export interface CopyOptions extends OperationOptions, CopySelection {
  /** What the source knows the image as; a name that was resolved before is not resolved again. */
  name?: string | RawManifest
  /** What messages call the image; a `name` in text by default. */
  shownName?: string
  /** What the target shall know it as; undefined: it gets no name. */
  targetName?: string
  /** Blobs moved at once, 3 by default. */
  concurrency?: number
  /** What the progress events say is done; `pull` by default. */
  act?: CopyAct
  /** An image for another platform than the wanted one is refused instead of causing a warning. */
  strictPlatform?: boolean
  /** An artifact (a chart, a signature), which cannot run, is refused before anything of it is copied. */
  imagesOnly?: boolean
  /**
   * Copies what is there without judging it, as registries do among themselves: a config is a blob like any other, whatever is in
   * it, and an index may list blobs (build caches do).
   */
  verbatim?: boolean
  /** False for entries of an index that the source does not hold: another one is chosen. */
  isHeld?(entry: Descriptor): boolean
}

/** What was copied, and how much of it had to move. */
export interface CopyResult {
  /** What the source's name refers to: the index, or the manifest. Its digest is what `pull` prints. */
  descriptor: Descriptor
  /** The image that was chosen and named; undefined when a whole index was copied (and named). */
  manifestDescriptor?: Descriptor
  /** Bytes of blobs that went over; 0 when the target had everything. */
  copiedBytes: number
  /** True when the target had the whole image before. */
  unchanged: boolean
}

const DEPTH_LIMIT = 4
const MANIFESTS_LIMIT = 10_000

/**
 * Copies one image, or with `all` an index with all its images. Every manifest is checked before anything it names is
 * read; config first, then layers, several at once, then the manifest, then the name: a copy that fails leaves no name
 * behind. Does not call `target.finish`: several images may go to one target.
 */
export async function copyImage(
  source: ImageSource,
  target: ImageTarget,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const { name } = options
  const root = checkedManifest(typeof name === 'object' ? name : await source.resolve(name, pass(options)))
  const copy = newCopy(source, target, options)
  const whole = root.kind === 'index' && options.all === true
  const chosen = whole ? root : await chooseImage(source, root, options)
  const unchanged = await copyManifest(copy, chosen, 0)
  if (options.targetName !== undefined) await target.tag(options.targetName, chosen, pass(options))
  return {
    descriptor: root.descriptor,
    ...(whole ? {} : { manifestDescriptor: chosen.descriptor }),
    copiedBytes: copy.copiedBytes,
    unchanged,
  }
}

interface Copy {
  source: ImageSource
  target: ImageTarget
  options: CopyOptions
  act: CopyAct
  /** `index sha256:…` and `manifest sha256:…`. */
  visited: Set<string>
  copiedBytes: number
}

function newCopy(source: ImageSource, target: ImageTarget, options: CopyOptions): Copy {
  return { source, target, options, act: options.act ?? 'pull', visited: new Set(), copiedBytes: 0 }
}

function pass({ signal, progress }: OperationOptions): OperationOptions {
  return { signal, progress }
}

/**
 * Follows indexes down to the one image for the wanted platform. Throws NO_MATCHING_PLATFORM, LIMIT_EXCEEDED for indexes that are
 * nested too deeply and, with `imagesOnly`, UNSUPPORTED for an artifact of another kind.
 */
export async function chooseImage(
  source: ImageSource,
  root: ReadManifest,
  options: CopyOptions,
): Promise<ReadManifest & { kind: 'manifest' }> {
  let found = root
  for (let depth = 0; found.kind === 'index'; depth++) {
    if (depth >= DEPTH_LIMIT) throw tooDeep(root.descriptor)
    if (options.platform === undefined) {
      throw new BaleError('INVALID_ARGUMENT', `${root.descriptor.digest} is an index of several images`, {
        next: { act: 'choose-platform' },
      })
    }
    const { platform: _, ...entry } = await chooseEntry(source, found.index, options)
    found = await readManifest(source, entry, pass(options))
  }
  if (options.imagesOnly && !isImageManifest(found.manifest)) throw notAnImage(found.manifest, shownName(options))
  return found
}

/**
 * Of a source that lacks parts of the index, what is held counts: a wish for this platform is then only a preference. Where
 * no entry matches, the configs of entries without a platform are read, as containerd does.
 */
async function chooseEntry(source: ImageSource, index: ImageIndex, options: CopyOptions): Promise<Descriptor> {
  const { strictPlatform, isHeld } = options
  const platform = options.platform!
  const held = isHeld ? index.manifests.filter((entry) => isHeld(entry)) : index.manifests
  const offered = { ...index, manifests: held.length > 0 ? held : index.manifests }
  try {
    return choosePlatform(offered, platform)
  } catch (error) {
    const images = imagesOf(offered)
    const silentOnes = images.filter((entry) => entry.platform === undefined).slice(0, ASKED_LIMIT)
    if (silentOnes.length > 0) {
      const manifests = await Promise.all(silentOnes.map((entry) => withPlatform(source, entry, pass(options))))
      return choosePlatform({ ...index, manifests }, platform)
    }
    const isPart = offered.manifests.length < index.manifests.length
    if (images.length !== 1 || !isPart || strictPlatform) throw error
    return images[0]!
  }
}

const ASKED_LIMIT = 32

async function withPlatform(source: ImageSource, entry: Descriptor, options: OperationOptions): Promise<Descriptor> {
  const read = await readManifest(source, entry, options)
  const image = read.kind === 'manifest' ? await readImageConfig(source, read.manifest, options) : undefined
  if (!image) return entry
  const { os, architecture, variant } = image.config
  return { ...entry, platform: { os, architecture, ...(variant && { variant }) } }
}

function shownName({ shownName, name }: CopyOptions): string | undefined {
  return shownName ?? (typeof name === 'object' ? undefined : name)
}

function notAnImage(manifest: ImageManifest, name: string | undefined): BaleError {
  const type = artifactTypeOf(manifest)
  return new BaleError('UNSUPPORTED', `${name ?? 'this'} is not an image, but an artifact of type ${type}`, {
    hint: 'fetch it with the tool it was made for',
    details: { artifactType: type },
  })
}

/** Copies a manifest with all it names, or an index with all its manifests. True when the target had it before. */
async function copyManifest(copy: Copy, read: ReadManifest, depth: number): Promise<boolean> {
  const { target, options } = copy
  if (await target.hold(read.descriptor, { ...pass(options), from: copy.source })) {
    reportUnchanged(copy, read)
    return true
  }
  if (read.kind === 'index') {
    const [objection] = read.index.unreadable ?? []
    if (objection) throw new BaleError('INVALID_MANIFEST', `index ${read.descriptor.digest}: ${objection}`)
    await copyChildren(copy, read.index.manifests, read.descriptor, depth)
  } else await copyContent(copy, read.manifest)
  await target.putManifest(read.descriptor, read.bytes, pass(options))
  return false
}

/** Children go first, one after the other (their layers go in parallel), each only once. */
async function copyChildren(copy: Copy, children: Descriptor[], parent: Descriptor, depth: number): Promise<void> {
  if (depth >= DEPTH_LIMIT) throw tooDeep(parent)
  copy.visited.add(`index ${parent.digest}`)
  if (copy.options.verbatim) await copyBlobs(copy, children.filter(isPlainBlob))
  for (const child of copy.options.verbatim ? children.filter((one) => !isPlainBlob(one)) : children) {
    const key = `${isIndexType(child.mediaType) ? 'index' : 'manifest'} ${child.digest}`
    if (key === `index ${parent.digest}`) throw new BaleError('INVALID_MANIFEST', `index ${parent.digest} lists itself`)
    if (copy.visited.has(key)) continue
    copy.visited.add(key)
    if (copy.visited.size > MANIFESTS_LIMIT) {
      throw new BaleError('LIMIT_EXCEEDED', `an index leads to more than ${MANIFESTS_LIMIT} manifests`)
    }
    const { platform: _, ...entry } = child
    await copyManifest(copy, await readManifest(copy.source, entry, pass(copy.options)), depth + 1)
  }
}

const isPlainBlob = ({ mediaType }: Descriptor) => !isIndexType(mediaType) && !isManifestType(mediaType)

async function copyContent(copy: Copy, manifest: ImageManifest): Promise<void> {
  if (copy.options.verbatim) return await copyBlobs(copy, [manifest.config, ...manifest.layers])
  const config = await copyConfig(copy, manifest)
  if (config) checkPlatform(copy, config)
  await copyLayers(copy, distinctLayers(manifest.layers, config))
}

async function copyBlobs(copy: Copy, blobs: readonly Descriptor[]): Promise<void> {
  await copyLayers(copy, distinctLayers(blobs))
}

async function copyLayers(copy: Copy, all: Layer[]): Promise<void> {
  const layers = await missingLayers(copy, all)
  const { source, target, options, act } = copy
  const moved = await mapLimited(
    layers,
    options.concurrency ?? 3,
    ({ descriptor, diffId }, { signal }) => {
      const context = { from: source, ...(diffId ? { diffId } : {}) }
      return copyBlob({ source, target, descriptor, context, act, signal, progress: options.progress })
    },
    { signal: options.signal },
  )
  copy.copiedBytes += moved.reduce((sum, bytes) => sum + bytes, 0)
}

/** The config is small and lists the expected layers, so it goes first. Undefined for artifacts. */
async function copyConfig(copy: Copy, manifest: ImageManifest): Promise<ImageConfig | undefined> {
  const { source, target, options } = copy
  const descriptor = manifest.config
  const bytes = await readConfigBytes(source, descriptor, pass(options))
  const config = isImageManifest(manifest) ? parseImageConfig(bytes) : undefined
  if (config) checkConfigMatches(manifest, config)
  if (await target.hold(descriptor, { ...pass(options), from: source })) return config
  await target.putBlob(descriptor, async (offset) => streamOf(bytes.subarray(offset)), {
    signal: options.signal,
    from: source,
    isImageConfig: config !== undefined,
  })
  copy.copiedBytes += bytes.byteLength
  return config
}

interface Layer {
  descriptor: Descriptor
  /** Known for file-system layers of images. */
  diffId?: Digest
}

async function missingLayers(copy: Copy, layers: readonly Layer[]): Promise<Layer[]> {
  const { source, target, options, act } = copy
  const limit = options.concurrency ?? 3
  const there = await mapLimited(
    layers,
    limit,
    ({ descriptor, diffId }, { signal }) => target.hold(descriptor, { signal, from: source, diffId }),
    { signal: options.signal },
  )
  const missing = layers.filter((_, index) => !there[index])
  layers.forEach(({ descriptor: { digest } }, index) => {
    options.progress?.({ kind: 'layer', digest, phase: there[index] ? 'exists' : 'planned', act })
  })
  for (const { descriptor } of missing.slice(limit))
    options.progress?.({ kind: 'layer', digest: descriptor.digest, phase: 'waiting' })
  return missing
}

/** An image may have the same layer twice; it is copied once. */
function distinctLayers(blobs: readonly Descriptor[], config?: ImageConfig): Layer[] {
  const byDigest = new Map<Digest, Layer>()
  blobs.forEach((descriptor, index) => {
    const isFiles = layerCompression(descriptor.mediaType) !== undefined
    const diffId = isFiles ? config?.rootfs.diff_ids[index] : undefined
    const known = byDigest.get(descriptor.digest)
    if (known && (known.diffId !== diffId || known.descriptor.size !== descriptor.size)) {
      throw new BaleError('INVALID_MANIFEST', `manifest describes layer ${descriptor.digest} in two ways`)
    }
    if (!known) byDigest.set(descriptor.digest, { descriptor, ...(diffId ? { diffId } : {}) })
  })
  return [...byDigest.values()]
}

function reportUnchanged({ options, act }: Copy, read: ReadManifest): void {
  if (read.kind === 'index') return
  const layers = distinctLayers(read.manifest.layers).map(({ descriptor }) => descriptor.digest)
  options.progress?.({ kind: 'manifest', digest: read.descriptor.digest, phase: 'exists', act, layers })
}

/** A manifest without index is taken even for another platform (it may run emulated), but never silently. */
function checkPlatform({ options }: Copy, config: ImageConfig): void {
  const objection = historyObjection(config)
  if (objection) options.progress?.({ kind: 'warning', text: objection })
  if (options.all || options.platform === undefined || config.os === '' || config.architecture === '') return
  const actual: Platform = { os: config.os, architecture: config.architecture, variant: config.variant }
  if (platformPreferences(options.platform).some((wanted) => matchPlatform(wanted, actual))) return
  const text = `the image is for ${formatPlatform(actual)}, not for ${formatPlatform(options.platform)}`
  if (options.strictPlatform) throw new BaleError('NO_MATCHING_PLATFORM', text, { details: { actual } })
  options.progress?.({ kind: 'warning', text })
}

function tooDeep({ digest }: Descriptor): BaleError {
  return new BaleError('LIMIT_EXCEEDED', `index ${digest} is nested deeper than ${DEPTH_LIMIT} indexes`)
}
