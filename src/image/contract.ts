import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { type Descriptor, type Digest, parseManifest, parsePlatform } from '#spec'
import { copyImage } from './copy-image.ts'
import type { ImageSource, ImageTarget } from './image-place.ts'
import { createMemoryPlace } from './memory-place.ts'
import { putImage, putIndex, type RandomImageOptions, randomImage } from './random-image.ts'
import { checkedManifest } from './read-documents.ts'

export interface PlaceUnderTest extends AsyncDisposable {
  target: ImageTarget
  /** The place as a reader sees it; called after `target.finish`. May be called more than once. */
  openSource(): Promise<ImageSource>
  /** Two names that the place takes. */
  names: [string, string]
}

export interface PlaceTraits {
  /** False for archives that rewrite manifests: then only config and layer contents are compared. */
  keepsManifests?: boolean
  /** False for places that hold no indexes. */
  keepsIndexes?: boolean
  /** True for places that unpack layers and so know whether a diff ID is right. */
  checksDiffIds?: boolean
  /** True for places that read a blob's stream only when they lack it (archives may not know what they have). */
  forgetsBlobs?: boolean
}

/** What every pair of ImageTarget and ImageSource promises. */
export function imagePlaceContract(
  name: string,
  create: () => Promise<PlaceUnderTest>,
  traits: PlaceTraits = {},
): void {
  const { keepsManifests = true, keepsIndexes = true, checksDiffIds = false, forgetsBlobs = false } = traits
  const check = (title: string, body: (place: PlaceUnderTest) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using place = await create()
      await body(place)
    })

  const shapes: RandomImageOptions[] = [
    { compression: 'none' },
    { compression: 'gzip', layers: 5, fileSize: 70_000 },
    { compression: 'zstd' },
    { layers: 0 },
  ]
  for (const shape of shapes) {
    check(
      `an image of ${shape.layers ?? 2} layers (${shape.compression ?? 'empty'}) comes back as it went`,
      async (place) => {
        const image = await randomImage(shape)
        const from = createMemoryPlace()
        await putImage(from, image, 'x')
        const copied = await copyImage(from, place.target, { name: 'x', targetName: place.names[0] })
        assert.equal(copied.unchanged, false)
        await place.target.finish?.()
        const back = createMemoryPlace()
        const result = await copyImage(await place.openSource(), back, { name: place.names[0], targetName: 'y' })
        if (keepsManifests) {
          assert.equal(result.descriptor.digest, image.manifestDescriptor.digest)
          assert.deepEqual(Buffer.from(back.manifests.get(result.descriptor.digest)!), Buffer.from(image.manifestBytes))
          for (const [digest, bytes] of image.blobs) assert.deepEqual(await bytesOf(back, digest), Buffer.from(bytes))
        }
        assert.deepEqual(await bytesOf(back, image.configDescriptor.digest), Buffer.from(image.configBytes))
      },
    )
  }

  if (keepsIndexes) {
    check('an index with images for two platforms comes back as it went', async (place) => {
      const images = await Promise.all(
        ['linux/amd64', 'linux/arm/v6'].map((platform) => randomImage({ platform: parsePlatform(platform) })),
      )
      const from = createMemoryPlace()
      const descriptor = await putIndex(from, images, 'x')
      await copyImage(from, place.target, { name: 'x', targetName: place.names[0], all: true })
      await place.target.finish?.()
      const back = createMemoryPlace()
      const result = await copyImage(await place.openSource(), back, {
        name: place.names[0],
        targetName: 'y',
        all: true,
      })
      assert.equal(result.descriptor.digest, descriptor.digest)
      assert.ok(await back.has(descriptor))
      for (const image of images) assert.ok(await back.has(image.manifestDescriptor))
    })
  }

  check('two names live side by side, and a name can be moved', async (place) => {
    const [first, second] = await Promise.all([randomImage({ seed: 1 }), randomImage({ seed: 2 })])
    await putImage(place.target, first, place.names[0])
    await putImage(place.target, first, place.names[1])
    await putImage(place.target, second, place.names[1])
    await place.target.finish?.()
    const source = await place.openSource()
    const configs = await Promise.all(place.names.map((one) => configOf(source, one)))
    assert.deepEqual(configs, [first.configDescriptor.digest, second.configDescriptor.digest])
  })

  check('an image that was written twice is still one image', async (place) => {
    const image = await randomImage()
    await putImage(place.target, image, place.names[0])
    await putImage(place.target, image, place.names[0])
    await place.target.finish?.()
    assert.equal(await configOf(await place.openSource(), place.names[0]), image.configDescriptor.digest)
  })

  check('a name is resolved to a manifest and its bytes', async (place) => {
    const image = await randomImage()
    await putImage(place.target, image, place.names[0])
    await place.target.finish?.()
    const source = await place.openSource()
    const { descriptor, bytes } = await source.resolve(place.names[0])
    assert.equal(checkedManifest({ descriptor, bytes }).kind, 'manifest')
    assert.deepEqual(Buffer.from(await source.manifest(descriptor)), Buffer.from(bytes))
    if (keepsManifests) assert.equal(descriptor.digest, image.manifestDescriptor.digest)
  })

  check('an unknown name is MANIFEST_NOT_FOUND or IMAGE_NOT_FOUND', async (place) => {
    await putImage(place.target, await randomImage(), place.names[0])
    await place.target.finish?.()
    const source = await place.openSource()
    await assert.rejects(
      source.resolve(place.names[1]),
      (error) => isBaleError(error, 'MANIFEST_NOT_FOUND') || isBaleError(error, 'IMAGE_NOT_FOUND'),
    )
  })

  check('a blob is read from any offset', async (place) => {
    const image = await randomImage({ compression: 'gzip' })
    await putImage(place.target, image, place.names[0])
    await place.target.finish?.()
    const source = await place.openSource()
    const { manifest } = await manifestOf(source, place.names[0])
    const whole = await drain(await source.blob(manifest.layers[0]!))
    const { size } = manifest.layers[0]!
    assert.equal(whole.length, size)
    for (const offset of [1, size - 1, size]) {
      assert.deepEqual(await drain(await source.blob(manifest.layers[0]!, { offset })), whole.subarray(offset))
    }
  })

  if (!forgetsBlobs) {
    check('has and hold answer for blobs and for manifests, before and after', async (place) => {
      const image = await randomImage()
      const parts = [image.manifestDescriptor, image.manifest.config]
      const answers = () => Promise.all(parts.flatMap((part) => [place.target.has(part), place.target.hold(part)]))
      assert.deepEqual(await answers(), Array(4).fill(false))
      await putImage(place.target, image, place.names[0])
      assert.deepEqual(await answers(), Array(4).fill(true))
      const again = await copyImage(await placeWith(image), place.target, { name: 'x', targetName: place.names[1] })
      assert.deepEqual([again.unchanged, again.copiedBytes], [true, 0])
    })
  }

  check('putBlob says that the bytes moved, or that the place had them', async (place) => {
    const image = await randomImage({ layers: 1 })
    const layer = image.manifest.layers[0]!
    const put = () =>
      place.target.putBlob(layer, async (offset) => asStream(image.blobs.get(layer.digest)!.subarray(offset)))
    assert.deepEqual(await put(), { how: 'moved', bytes: layer.size })
    const { how } = await put()
    assert.ok(how === 'moved' || how === 'existed', how)
  })

  const damages: [title: string, code: string, damage: (bytes: Uint8Array) => Uint8Array][] = [
    ['M01: a layer with other bytes', 'DIGEST_MISMATCH', (bytes) => flipped(bytes)],
    ['M01: a layer that ends early', 'SIZE_MISMATCH', (bytes) => bytes.subarray(0, -1)],
    ['M01: a layer with a byte too many', 'SIZE_MISMATCH', (bytes) => Buffer.concat([bytes, Buffer.of(0)])],
  ]
  for (const [title, code, damage] of damages) {
    check(`${title} is refused and leaves no image`, async (place) => {
      const image = await randomImage({ compression: 'none' })
      const bad = image.manifest.layers[1]!.digest
      const from = damaged(await placeWith(image), bad, damage)
      await assert.rejects(copyImage(from, place.target, { name: 'x', targetName: place.names[0] }), { code })
      if (!forgetsBlobs) assert.equal(await place.target.has(image.manifestDescriptor), false)
      // The place works on: the same image, whole this time.
      await copyImage(await placeWith(image), place.target, { name: 'x', targetName: place.names[0] })
      await place.target.finish?.()
      assert.equal(await configOf(await place.openSource(), place.names[0]), image.configDescriptor.digest)
    })
  }

  check('M01: a manifest whose bytes are not those of its digest is refused', async (place) => {
    const image = await randomImage()
    await putImage(place.target, image)
    await assert.rejects(place.target.putManifest(image.manifestDescriptor, flipped(image.manifestBytes)), {
      code: 'DIGEST_MISMATCH',
    })
  })

  if (checksDiffIds) {
    check('M05: a layer that is not the one its config tells of is refused', async (place) => {
      const [image, other] = await Promise.all([randomImage({ seed: 1 }), randomImage({ seed: 2 })])
      const layer = image.manifest.layers[0]!
      const open = async () => asStream(image.blobs.get(layer.digest)!)
      await assert.rejects(place.target.putBlob(layer, open, { diffId: other.config.rootfs.diff_ids[0]! }), {
        code: 'DIGEST_MISMATCH',
      })
    })
  }

  check('a copy that is cancelled ends with the reason and leaves no name', async (place) => {
    const image = await randomImage({ layers: 4, fileSize: 100_000 })
    const stop = new AbortController()
    const from = await placeWith(image)
    const stopping: ImageSource = {
      resolve: (one) => from.resolve(one),
      manifest: (descriptor) => from.manifest(descriptor),
      blob: async (descriptor, options) => {
        if (descriptor.digest === image.manifest.layers[2]!.digest) stop.abort(new Error('enough'))
        return from.blob(descriptor, options)
      },
    }
    await assert.rejects(
      copyImage(stopping, place.target, { name: 'x', targetName: place.names[0], signal: stop.signal, concurrency: 1 }),
      (error: Error) => /enough/.test(error.message) || /enough/.test(String((error.cause as Error)?.message)),
    )
    if (!forgetsBlobs) assert.equal(await place.target.has(image.manifestDescriptor), false)
  })
}

async function placeWith(image: Awaited<ReturnType<typeof randomImage>>): Promise<ImageSource> {
  const place = createMemoryPlace()
  await putImage(place, image, 'x')
  return place
}

/** The same source, but one blob is not what it says. */
function damaged(from: ImageSource, digest: Digest, damage: (bytes: Uint8Array) => Uint8Array): ImageSource {
  return {
    resolve: (name) => from.resolve(name),
    manifest: (descriptor) => from.manifest(descriptor),
    blob: async (descriptor, options) => {
      const bytes = await drain(await from.blob(descriptor))
      return asStream((descriptor.digest === digest ? damage(bytes) : bytes).subarray(options?.offset ?? 0))
    },
  }
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes)
  copy[copy.length >> 1]! ^= 1
  return copy
}

async function manifestOf(source: ImageSource, name: string) {
  const back = createMemoryPlace()
  const { descriptor } = await copyImage(source, back, { name, platform: parsePlatform('linux/amd64') })
  const parsed = parseManifest(back.manifests.get(descriptor.digest)!, descriptor.mediaType)
  assert.equal(parsed.kind, 'manifest')
  return { descriptor, manifest: (parsed as { manifest: { config: Descriptor; layers: Descriptor[] } }).manifest }
}

async function configOf(source: ImageSource, name: string): Promise<Digest> {
  return (await manifestOf(source, name)).manifest.config.digest
}

async function bytesOf(source: ImageSource, digest: Digest): Promise<Buffer> {
  return drain(await source.blob({ mediaType: 'application/octet-stream', digest, size: 0 }))
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream))
}

async function* asStream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 4096) yield bytes.subarray(at, at + 4096)
}
