import type { Writable } from 'node:stream'
import { BaleError, createLimiter, isBaleError } from '#base'
import { digestMismatch, digestOf, sizeMismatch, streamOf, verifying } from '#blob'
import { tarHeader, tarPadding, tarTrailer } from '#format/tar'
import { type OutputFile, openOutput } from '#host/file'
import { choosePlatform, type ImageTarget, imagesOf, isImageManifest, type RawManifest } from '#image'
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  fullName,
  type ImageIndex,
  type ParsedManifest,
  type Platform,
  parseManifest,
  parseReference,
  withDefaultTag,
} from '#spec'
import { type NamedImage, writeNamedImages } from '../layout/index.ts'
import { blobName, encodeManifestJson, encodeRepositories, type ListedImage } from './docker-documents.ts'

/** How an archive is written. */
export interface ArchiveTargetOptions {
  /** `docker` (default): readable by all. `oci`: without docker's manifest.json and `repositories`. */
  format?: 'docker' | 'oci'
  /** Of an index, docker's manifest.json can list one image: that for this platform, else the first. */
  platform?: Platform
}

/** An archive that is being written. `finish` completes it; disposing it before that leaves no file. */
export interface ArchiveTarget extends ImageTarget, AsyncDisposable {
  /** Writes the documents and the end of the archive; a file appears under its name. Required. */
  finish(): Promise<void>
}

/**
 * Writes one tar that docker (1.10 and later, both stores), podman, skopeo and bale load: OCI blobs, `oci-layout` and
 * `index.json` with names for containerd and podman, docker's `manifest.json` and `repositories`. Compressed layers stay as
 * they are; what several images share is written once. No time, owner or order comes from the machine: the same calls give
 * the same bytes. Goes to a file, which appears by `finish` and not at all when disposed before, or to a stream.
 */
export async function createArchiveTarget(
  target: string | Writable,
  options: ArchiveTargetOptions = {},
): Promise<ArchiveTarget> {
  return new TarTarget(await openOutput(target), options)
}

type Known = ParsedManifest & { descriptor: Descriptor }

class TarTarget implements ArchiveTarget {
  readonly #sink: OutputFile
  readonly #options: ArchiveTargetOptions
  /** Entries are written in sequence, so blobs wait for their turn; the order of calls is kept. */
  readonly #turn = createLimiter(1)
  readonly #blobs = new Set<Digest>()
  readonly #directories = new Set<string>()
  readonly #manifests = new Map<Digest, Known>()
  readonly #names = new Map<string, Digest>()

  constructor(sink: OutputFile, options: ArchiveTargetOptions) {
    this.#sink = sink
    this.#options = options
  }

  async has({ digest }: Descriptor): Promise<boolean> {
    return this.#blobs.has(digest)
  }

  hold(descriptor: Descriptor): Promise<boolean> {
    return this.has(descriptor)
  }

  putBlob: ImageTarget['putBlob'] = async (descriptor, open, { signal } = {}) =>
    this.#turn(async () => {
      if (this.#blobs.has(descriptor.digest)) return { how: 'existed' }
      signal?.throwIfAborted()
      const content = await open(0)
      await this.#writeBlob(descriptor, content, signal)
      return { how: 'moved', bytes: descriptor.size }
    })

  putManifest: ImageTarget['putManifest'] = async (descriptor, bytes, { signal } = {}) =>
    this.#turn(async () => {
      checkBytes(descriptor, bytes)
      if (this.#manifests.has(descriptor.digest)) return
      const parsed = parseManifest(bytes, descriptor.mediaType)
      if (!this.#blobs.has(descriptor.digest)) await this.#writeBlob(descriptor, streamOf(bytes), signal)
      const { mediaType, digest, size } = descriptor
      this.#manifests.set(digest, { ...parsed, descriptor: { mediaType, digest, size } })
    })

  async tag(name: string, { descriptor: { digest } }: RawManifest): Promise<void> {
    if (!this.#manifests.has(digest)) {
      throw new BaleError('MANIFEST_NOT_FOUND', `the archive has no manifest ${digest} to be named ${name}`)
    }
    this.#names.set(fullName(withDefaultTag(parseReference(name))), digest)
  }

  async finish(): Promise<void> {
    await this.#turn(async () => {
      await this.#writeFile('index.json', writeNamedImages(this.#namedImages()))
      if (this.#options.format !== 'oci') {
        const images = this.#listedImages()
        await this.#writeFile('manifest.json', encodeManifestJson(images))
        await this.#writeFile('oci-layout', OCI_LAYOUT)
        if (images.some(({ names }) => names.length > 0)) {
          await this.#writeFile('repositories', encodeRepositories(images))
        }
      } else await this.#writeFile('oci-layout', OCI_LAYOUT)
      await this.#sink.write(tarTrailer())
      await this.#sink.commit()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sink[Symbol.asyncDispose]()
  }

  async #writeBlob(descriptor: Descriptor, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    await this.#writeDirectory('blobs')
    await this.#writeDirectory(`blobs/${algorithmOf(descriptor.digest)}`)
    const start = this.#sink.position
    try {
      await this.#sink.write(tarHeader({ name: blobName(descriptor.digest), type: 'file', size: descriptor.size }))
      for await (const chunk of verifying(content, descriptor)) {
        signal?.throwIfAborted()
        await this.#sink.write(chunk)
      }
      await this.#sink.write(tarPadding(descriptor.size))
    } catch (error) {
      await this.#sink.rollback(start, error)
      throw error
    }
    this.#blobs.add(descriptor.digest)
  }

  async #writeDirectory(name: string): Promise<void> {
    if (this.#directories.has(name)) return
    this.#directories.add(name)
    await this.#sink.write(tarHeader({ name, type: 'directory' }))
  }

  async #writeFile(name: string, bytes: Uint8Array): Promise<void> {
    await this.#sink.write(tarHeader({ name, type: 'file', size: bytes.byteLength }))
    await this.#sink.write(bytes)
    await this.#sink.write(tarPadding(bytes.byteLength))
  }

  /** All that was tagged, and all that is neither tagged nor part of an index: images saved by ID. */
  #roots(): { known: Known; names: string[] }[] {
    const parts = new Set<Digest>()
    for (const known of this.#manifests.values()) {
      if (known.kind === 'index') for (const { digest } of known.index.manifests) parts.add(digest)
    }
    const names = Map.groupBy(this.#names.keys(), (name) => this.#names.get(name)!)
    return [...this.#manifests.values()]
      .map((known) => ({ known, names: names.get(known.descriptor.digest) ?? [] }))
      .filter(({ known, names }) => names.length > 0 || !parts.has(known.descriptor.digest))
  }

  #namedImages(): NamedImage[] {
    return this.#roots().flatMap(({ known: { descriptor }, names }): NamedImage[] =>
      names.length === 0
        ? [{ descriptor }]
        : names.map((name) => ({ descriptor, fullName: name, refName: parseReference(name).tag })),
    )
  }

  /** One entry for each config, as docker's loaders want it. */
  #listedImages(): ListedImage[] {
    const images = new Map<Digest, { config: Digest; layers: Digest[]; names: string[] }>()
    for (const { known, names } of this.#roots()) {
      const manifest = known.kind === 'index' ? this.#imageOf(known.index) : known.manifest
      if (manifest === undefined || !isImageManifest(manifest)) continue
      const image = images.get(manifest.config.digest) ?? {
        config: manifest.config.digest,
        layers: manifest.layers.map(({ digest }) => digest),
        names: [],
      }
      images.set(image.config, image)
      image.names.push(...names.filter((name) => parseReference(name).tag !== undefined))
    }
    return [...images.values()]
  }

  #imageOf(index: ImageIndex) {
    const there = { ...index, manifests: index.manifests.filter(({ digest }) => this.#manifests.has(digest)) }
    const chosen = this.#preferred(there) ?? imagesOf(there)[0]
    const known = chosen && this.#manifests.get(chosen.digest)
    return known?.kind === 'manifest' ? known.manifest : undefined
  }

  #preferred(index: ImageIndex): Descriptor | undefined {
    if (this.#options.platform === undefined) return undefined
    try {
      return choosePlatform(index, this.#options.platform)
    } catch (error) {
      if (isBaleError(error, 'NO_MATCHING_PLATFORM')) return undefined
      throw error
    }
  }
}

const OCI_LAYOUT = Buffer.from('{"imageLayoutVersion":"1.0.0"}')

function checkBytes(descriptor: Descriptor, bytes: Uint8Array): void {
  if (bytes.byteLength !== descriptor.size) throw sizeMismatch(descriptor, bytes.byteLength)
  const digest = digestOf(bytes, algorithmOf(descriptor.digest))
  if (digest !== descriptor.digest) throw digestMismatch(descriptor.digest, digest)
}
