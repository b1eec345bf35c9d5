import { gzipSync, zstdCompressSync } from 'node:zlib'
import { digestOf } from '#blob'
import {
  type ContainerConfig,
  type Descriptor,
  type Digest,
  formatPlatform,
  MediaType,
  type Platform,
  parsePlatform,
} from '#spec'
import type { ImageTarget } from './image-place.ts'
import { type ImageDocuments, type LayerDescription, makeImage, makeIndex } from './make-image.ts'

/** What a random image is made of. */
export interface RandomImageOptions {
  /** The same seed gives the same image; 1 by default. */
  seed?: number
  /** 2 by default. */
  layers?: number
  /** Files of each layer; 3 by default. */
  files?: number
  /** Bytes of the largest file; 2000 by default. */
  fileSize?: number
  /** gzip by default. */
  compression?: 'none' | 'gzip' | 'zstd'
  /** linux/amd64 by default. */
  platform?: Platform
  config?: ContainerConfig
}

/** An image with layers of random files, for tests. */
export interface RandomImage extends ImageDocuments {
  readonly platform: Platform
  /** Config and layers as they travel. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>
  /** The uncompressed tars, in order. */
  readonly tars: readonly Uint8Array[]
}

/** A small valid image, made up from a seed: for tests and examples. */
export async function randomImage(options: RandomImageOptions = {}): Promise<RandomImage> {
  const { seed = 1, layers: count = 2, compression = 'gzip' } = options
  const platform = options.platform ?? parsePlatform('linux/amd64')
  const random = generator(`${seed} ${formatPlatform(platform)}`)
  const tars = await Promise.all(Array.from({ length: count }, (_, layer) => randomTar(random, layer, options)))
  const layers = tars.map((tar) => ({ tar, bytes: compress(tar, compression) }))
  const image = makeImage({
    config: {
      architecture: platform.architecture,
      ...(platform.variant ? { variant: platform.variant } : {}),
      os: platform.os,
      created: new Date(Date.UTC(2024, 0, 1) + Math.floor(random() * 1e9) * 1000).toISOString(),
      config: options.config ?? { Env: ['PATH=/usr/bin:/bin'], Cmd: ['/bin/sh'], Labels: { seed: String(seed) } },
      history: layers.map((_, index) => ({ created_by: `random layer ${index}` })),
    },
    layers: layers.map(({ tar, bytes }) => describeLayer(tar, bytes, compression)),
  })
  const blobs = new Map<Digest, Uint8Array>([[image.configDescriptor.digest, image.configBytes]])
  for (const { bytes } of layers) blobs.set(digestOf(bytes), bytes)
  return { ...image, platform, blobs, tars }
}

/** Writes an image into a place, under a name when one is given. */
export async function putImage(
  target: ImageTarget,
  image: ImageDocuments & Pick<RandomImage, 'blobs'>,
  name?: string,
): Promise<void> {
  const { manifest, config } = image
  await putBytes(target, manifest.config, image.configBytes)
  for (const [index, layer] of manifest.layers.entries()) {
    await putBytes(target, layer, image.blobs.get(layer.digest)!, config.rootfs.diff_ids[index])
  }
  await target.putManifest(image.manifestDescriptor, image.manifestBytes)
  if (name !== undefined) await target.tag(name, { descriptor: image.manifestDescriptor, bytes: image.manifestBytes })
}

/** Writes images and an index of them. Returns the index's descriptor. */
export async function putIndex(
  target: ImageTarget,
  images: readonly RandomImage[],
  name?: string,
): Promise<Descriptor> {
  for (const image of images) await putImage(target, image)
  const { bytes, descriptor } = makeIndex(
    images.map((image) => ({ ...image.manifestDescriptor, platform: image.platform })),
  )
  await target.putManifest(descriptor, bytes)
  if (name !== undefined) await target.tag(name, { descriptor, bytes })
  return descriptor
}

async function putBytes(
  target: ImageTarget,
  descriptor: Descriptor,
  bytes: Uint8Array,
  diffId?: Digest,
): Promise<void> {
  const open = async (offset: number) =>
    (async function* () {
      yield bytes.subarray(offset)
    })()
  await target.putBlob(descriptor, open, diffId ? { diffId } : {})
}

const TYPES = { none: MediaType.ociLayer, gzip: MediaType.ociLayerGzip, zstd: MediaType.ociLayerZstd }

function describeLayer(tar: Uint8Array, bytes: Uint8Array, compression: keyof typeof TYPES): LayerDescription {
  return { diffId: digestOf(tar), digest: digestOf(bytes), size: bytes.byteLength, mediaType: TYPES[compression] }
}

function compress(tar: Uint8Array, compression: keyof typeof TYPES): Uint8Array {
  if (compression === 'none') return tar
  return compression === 'gzip' ? gzipSync(tar) : zstdCompressSync(tar)
}

async function randomTar(random: () => number, layer: number, options: RandomImageOptions): Promise<Uint8Array> {
  const { files = 3, fileSize = 2000 } = options
  const directory = `layer-${layer}`
  const names = Array.from({ length: files }, (_, index) => `${directory}/file-${index}`)
  const contents = names.map((name) => ({ name, data: randomBytes(random, Math.floor(random() * (fileSize + 1))) }))
  const entries = [
    { entry: { name: directory, type: 'directory' as const } },
    ...contents.map(({ name, data }) => ({ entry: { name, type: 'file' as const, size: data.byteLength }, data })),
  ]
  // Loaded by whoever makes one: every command loads this room.
  const { packTar } = await import('#format/tar')
  return Buffer.concat(await Array.fromAsync(packTar(entries)))
}

function randomBytes(random: () => number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, () => Math.floor(random() * 256))
}

/** Numbers in [0, 1) that depend on the seed only (mulberry32). */
function generator(seed: string): () => number {
  let state = Number.parseInt(digestOf(seed).slice(7, 15), 16)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
