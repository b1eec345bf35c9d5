import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProgressEvent } from '#base'
import { streamOf } from '#blob'
import { type Descriptor, encodeDocument, MediaType, parsePlatform } from '#spec'
import { copyImage } from './copy-image.ts'
import type { ImageSource, ImageTarget } from './image-place.ts'
import { describe, makeDocuments, makeIndex, plainLayer } from './make-image.ts'
import { createMemoryPlace, type MemoryPlace } from './memory-place.ts'
import { putImage, putIndex, randomImage } from './random-image.ts'

const amd64 = parsePlatform('linux/amd64')

async function twoPlatforms() {
  const source = createMemoryPlace()
  const images = await Promise.all(
    ['linux/arm/v6', 'linux/amd64'].map((platform) => randomImage({ platform: parsePlatform(platform) })),
  )
  return { source, images, index: await putIndex(source, images, 'x') }
}

/** Writes down what a target is asked to do, in order. */
function recording(target: MemoryPlace): { target: ImageTarget; calls: string[] } {
  const calls: string[] = []
  return {
    calls,
    target: {
      has: (descriptor, options) => target.has(descriptor, options),
      hold: (descriptor, options) => target.hold(descriptor, options),
      putBlob: async (descriptor, open, options) => {
        const outcome = await target.putBlob(descriptor, open, options)
        calls.push(`blob ${descriptor.digest}`)
        return outcome
      },
      putManifest: async (descriptor, bytes) => {
        await target.putManifest(descriptor, bytes)
        calls.push(`manifest ${descriptor.digest}`)
      },
      tag: async (name, descriptor) => {
        await target.tag(name, descriptor)
        calls.push(`tag ${name}`)
      },
    },
  }
}

test('config goes first, then layers, then the manifest, the name last', async () => {
  const image = await randomImage({ layers: 3 })
  const source = createMemoryPlace()
  await putImage(source, image, 'x')
  const { target, calls } = recording(createMemoryPlace())
  await copyImage(source, target, { name: 'x', targetName: 'y' })
  assert.equal(calls[0], `blob ${image.configDescriptor.digest}`)
  assert.deepEqual(new Set(calls.slice(1, 4)), new Set(image.manifest.layers.map((layer) => `blob ${layer.digest}`)))
  assert.deepEqual(calls.slice(4), [`manifest ${image.manifestDescriptor.digest}`, 'tag y'])
})

test('of an index the image for the platform is copied and named; the result tells both digests', async () => {
  const { source, images, index } = await twoPlatforms()
  const target = createMemoryPlace()
  const result = await copyImage(source, target, { name: 'x', targetName: 'y', platform: amd64 })
  assert.equal(result.descriptor.digest, index.digest)
  assert.deepEqual(result.manifestDescriptor, images[1]!.manifestDescriptor)
  assert.equal(target.names.get('y')?.digest, images[1]!.manifestDescriptor.digest)
  assert.deepEqual([...target.manifests.keys()], [images[1]!.manifestDescriptor.digest])
  const size = [...images[1]!.blobs.values()].reduce((sum, bytes) => sum + bytes.length, 0)
  assert.equal(result.copiedBytes, size)
})

test('with all, children are written before their index and a child that is listed twice once', async () => {
  const { source, images } = await twoPlatforms()
  const twice = makeIndex([...images, images[0]!].map((image) => image.manifestDescriptor))
  await source.putManifest(twice.descriptor, twice.bytes)
  await source.tag('twice', twice)
  const { target, calls } = recording(createMemoryPlace())
  // An archive that is being written does not know what it has.
  target.has = async () => false
  await copyImage(source, target, { name: 'twice', targetName: 'y', all: true })
  const order = [...images.map((image) => image.manifestDescriptor), twice.descriptor]
  assert.deepEqual(
    calls.filter((call) => call.startsWith('manifest')),
    order.map(({ digest }) => `manifest ${digest}`),
  )
})

test('M08 no platform matches: the error names the available ones', async () => {
  const { source } = await twoPlatforms()
  await assert.rejects(copyImage(source, createMemoryPlace(), { name: 'x', platform: parsePlatform('linux/s390x') }), {
    code: 'NO_MATCHING_PLATFORM',
    message: 'no matching manifest for linux/s390x in the manifest list entries; available: linux/arm/v6, linux/amd64',
  })
})

test('M08 a single manifest for another platform is never taken silently', async () => {
  const source = createMemoryPlace()
  await putImage(source, await randomImage({ platform: parsePlatform('linux/arm64') }), 'x')
  const events: ProgressEvent[] = []
  const progress = (event: ProgressEvent) => events.push(event)
  await copyImage(source, createMemoryPlace(), { name: 'x', platform: amd64, progress })
  assert.deepEqual(events[0], { kind: 'warning', text: 'the image is for linux/arm64, not for linux/amd64' })
  await assert.rejects(copyImage(source, createMemoryPlace(), { name: 'x', platform: amd64, strictPlatform: true }), {
    code: 'NO_MATCHING_PLATFORM',
  })
})

test('what happens to each layer is reported: planned, moving, done; those that exist, and a whole image that exists', async () => {
  const image = await randomImage({ layers: 5 })
  const source = createMemoryPlace()
  await putImage(source, image, 'x')
  const target = createMemoryPlace()
  const shared = image.manifest.layers[1]!
  await target.putBlob(shared, async () => one(image.blobs.get(shared.digest)!))
  const told = async () => {
    const events: ProgressEvent[] = []
    await copyImage(source, target, { name: 'x', act: 'push', progress: (event) => events.push(event) })
    return image.manifest.layers.map((layer) => {
      const mine = events.flatMap((event) =>
        event.kind === 'layer' && event.digest === layer.digest ? [event.phase] : [],
      )
      const whole = events.some((event) => event.kind === 'manifest' && event.layers.includes(layer.digest))
      return whole ? 'in a whole image' : [...new Set(mine)].join(', ')
    })
  }
  const copied = 'planned, moving, done'
  const waited = 'planned, waiting, moving, done'
  assert.deepEqual(await told(), [copied, 'exists', copied, copied, waited])
  assert.deepEqual(await told(), Array(5).fill('in a whole image'))
})

test('a target that mounts a blob from its own registry has the last word, and no byte is counted', async () => {
  const image = await randomImage({ layers: 1 })
  const source = createMemoryPlace()
  await putImage(source, image, 'x')
  const inner = createMemoryPlace()
  const events: ProgressEvent[] = []
  const mounting: ImageTarget = {
    has: (descriptor) => inner.has(descriptor),
    hold: (descriptor) => inner.hold(descriptor),
    tag: (name, descriptor) => inner.tag(name, descriptor),
    putManifest: (descriptor, bytes) => inner.putManifest(descriptor, bytes),
    async putBlob(descriptor, open, options) {
      await inner.putBlob(descriptor, async () => source.blob(descriptor), options)
      if (options?.diffId) return { how: 'mounted', from: 'a/b' }
      await open(0)
      return { how: 'moved', bytes: descriptor.size }
    },
  }
  const result = await copyImage(source, mounting, {
    name: 'x',
    act: 'push',
    progress: (event) => events.push(event),
  })
  assert.deepEqual(
    events.map((event) => event.kind === 'layer' && event.phase),
    ['planned', 'mounted'],
  )
  assert.equal(result.copiedBytes, image.configBytes.length)
})

test('a layer that an image has twice goes over once, and the diff ID goes along', async () => {
  const image = await randomImage({ layers: 1, compression: 'none' })
  const layer = plainLayer(image.config.rootfs.diff_ids[0]!, image.manifest.layers[0]!.size)
  const config = { ...image.config, rootfs: { type: 'layers', diff_ids: [layer.diffId, layer.diffId] }, history: [] }
  const twice = makeDocuments({ configBytes: encodeDocument(config), layers: [layer, layer] })
  const source = createMemoryPlace()
  await putImage(source, { ...twice, blobs: image.blobs }, 'x')
  const inner = createMemoryPlace()
  const diffIds: (string | undefined)[] = []
  const target: ImageTarget = {
    ...inner,
    putBlob: (descriptor, open, options) => {
      diffIds.push(options?.diffId)
      assert.equal(options?.from, source)
      return inner.putBlob(descriptor, open, options)
    },
  }
  await copyImage(source, target, { name: 'x' })
  assert.deepEqual(diffIds, [undefined, layer.diffId])
})

test('M07 a layer that a manifest describes in two ways is refused', async () => {
  const [image, other] = await Promise.all([randomImage({ layers: 1 }), randomImage({ layers: 1, seed: 2 })])
  const diffIds = [image.config.rootfs.diff_ids[0]!, other.config.rootfs.diff_ids[0]!]
  const config = { ...image.config, rootfs: { type: 'layers', diff_ids: diffIds }, history: [] }
  const layers = diffIds.map((diffId) => ({ ...image.manifest.layers[0]!, diffId }))
  const source = createMemoryPlace()
  const twoWays = { ...makeDocuments({ configBytes: encodeDocument(config), layers }), blobs: image.blobs }
  for (const layer of image.manifest.layers)
    await source.putBlob(layer, async () => one(image.blobs.get(layer.digest)!))
  await source.putBlob(twoWays.configDescriptor, async () => one(twoWays.configBytes))
  await source.putManifest(twoWays.manifestDescriptor, twoWays.manifestBytes)
  await source.tag('x', { descriptor: twoWays.manifestDescriptor, bytes: twoWays.manifestBytes })
  await assert.rejects(copyImage(source, createMemoryPlace(), { name: 'x' }), {
    code: 'INVALID_MANIFEST',
    message: /in two ways/,
  })
})

test('M05 a config that lists other layers than the manifest is refused before any layer moves', async () => {
  const image = await randomImage({ layers: 2 })
  const config = { ...image.config, rootfs: { type: 'layers', diff_ids: image.config.rootfs.diff_ids.slice(1) } }
  const layers = image.manifest.layers.map((layer, index) => ({
    ...layer,
    diffId: image.config.rootfs.diff_ids[index]!,
  }))
  const wrong = makeDocuments({ configBytes: encodeDocument(config), layers })
  const source = createMemoryPlace()
  await putImage(source, { ...wrong, blobs: image.blobs }, 'x')
  const { target, calls } = recording(createMemoryPlace())
  await assert.rejects(copyImage(source, target, { name: 'x', targetName: 'y' }), { code: 'INVALID_MANIFEST' })
  assert.deepEqual(calls, [])
})

test('an artifact that is no image is copied without diff IDs', async () => {
  const source = createMemoryPlace()
  const bytes = new TextEncoder().encode('chart')
  const empty = new TextEncoder().encode('{}')
  const artifact = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType: 'application/vnd.example.chart',
    config: describe(empty, MediaType.ociEmpty),
    layers: [describe(bytes, 'application/vnd.example.chart.v1')],
  }
  const manifest = encodeDocument(artifact)
  await source.putBlob(artifact.config, async () => one(empty))
  await source.putBlob(artifact.layers[0]!, async () => one(bytes))
  await source.putManifest(describe(manifest, MediaType.ociManifest), manifest)
  await source.tag('x', { descriptor: describe(manifest, MediaType.ociManifest), bytes: manifest })
  const target = createMemoryPlace()
  await copyImage(source, target, { name: 'x', targetName: 'y', platform: amd64 })
  assert.ok(await target.has(describe(manifest, MediaType.ociManifest)))
})

/** A source of indexes only; `manifest` is called for each step. */
function indexes(all: ReturnType<typeof makeIndex>[]): ImageSource {
  return {
    resolve: async () => all.at(-1)!,
    manifest: async ({ digest }) => all.find((one) => one.descriptor.digest === digest)!.bytes,
    blob: async () => assert.fail('no blob is read'),
  }
}

test('M07 indexes of indexes end at a depth of four, whether one or all images are wanted', async () => {
  const chain = [makeIndex([])]
  for (let depth = 0; depth < 50; depth++) chain.push(makeIndex([chain.at(-1)!.descriptor]))
  const source = indexes(chain)
  for (const options of [{ all: true }, { platform: amd64 }]) {
    await assert.rejects(copyImage(source, createMemoryPlace(), options), { code: 'LIMIT_EXCEEDED' })
  }
})

test('M01 M02 a manifest of other bytes, another size or another type than announced is refused', async () => {
  const image = await randomImage()
  const { manifestBytes: bytes, manifestDescriptor } = image
  const root = (change: Partial<Descriptor>, answer = bytes): ImageSource => ({
    resolve: async () => ({ descriptor: { ...manifestDescriptor, ...change }, bytes: answer }),
    manifest: async () => answer,
    blob: async () => assert.fail('no blob is read'),
  })
  const spaced = Buffer.concat([bytes, Buffer.from(' ')])
  const target = createMemoryPlace()
  await assert.rejects(copyImage(root({}, spaced), target), { code: 'SIZE_MISMATCH' })
  await assert.rejects(copyImage(root({ size: spaced.length }, spaced), target), { code: 'DIGEST_MISMATCH' })
  await assert.rejects(copyImage(root({ mediaType: MediaType.ociIndex }), target), { code: 'INVALID_MANIFEST' })
  await assert.rejects(copyImage(root({ size: 5 << 20 }), target), { code: 'LIMIT_EXCEEDED' })
})

test('M04 a config announced with more than 16 MiB is not read', async () => {
  const image = await randomImage({ layers: 0 })
  const manifest = { ...image.manifest, config: { ...image.manifest.config, size: (16 << 20) + 1 } }
  const bytes = encodeDocument(manifest)
  const source: ImageSource = {
    resolve: async () => ({ descriptor: describe(bytes, MediaType.ociManifest), bytes }),
    manifest: async () => bytes,
    blob: async () => assert.fail('no blob is read'),
  }
  await assert.rejects(copyImage(source, createMemoryPlace()), { code: 'LIMIT_EXCEEDED' })
})

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

test('an artifact is refused before anything of it is copied, where only images are wanted', async () => {
  const source = createMemoryPlace()
  const chart = Buffer.from('{"name":"x"}')
  const types = ['application/vnd.cncf.helm.config.v1+json', MediaType.ociConfig]
  for (const configType of types) {
    const layers = [{ ...plainLayer(describe(chart, 'x').digest, chart.length), mediaType: 'text/plain' }]
    const made = makeDocuments({
      configBytes: Buffer.from('{"rootfs":{"type":"layers","diff_ids":[]}}'),
      configType,
      layers,
    })
    await source.putBlob(made.configDescriptor, async () => only(made.configBytes))
    await source.putBlob(describe(chart, 'text/plain'), async () => only(chart))
    await source.putManifest(made.manifestDescriptor, made.manifestBytes)
    const { target, calls } = recording(createMemoryPlace())
    const name = made.manifestDescriptor.digest
    await assert.rejects(copyImage(source, target, { name, shownName: 'team/a:helm', imagesOnly: true }), {
      code: 'UNSUPPORTED',
      message: /^team\/a:helm is not an image, but an artifact of type (application\/vnd\.cncf|text\/plain)/,
    })
    assert.deepEqual(calls, [])
    await copyImage(source, target, { name })
    assert.equal(calls.length, 3, 'a mover of all kinds takes it')
  }
})

test('an index with an entry that names nothing is copied in part, but not whole', async () => {
  const { source, index } = await twoPlatforms()
  const raw = JSON.parse(Buffer.from(source.manifests.get(index.digest)!).toString())
  const odd = { mediaType: MediaType.ociManifest, digest: 'blake3:00', size: 1 }
  const bytes = encodeDocument({ ...raw, manifests: [odd, ...raw.manifests] })
  const descriptor = describe(bytes, MediaType.ociIndex)
  await source.putManifest(descriptor, bytes)
  await copyImage(source, createMemoryPlace(), { name: descriptor.digest, platform: amd64 })
  const { target, calls } = recording(createMemoryPlace())
  const whole = copyImage(source, target, { name: descriptor.digest, all: true })
  await assert.rejects(whole, { code: 'INVALID_MANIFEST', message: /manifests\[0\]|digest/ })
  assert.deepEqual(calls, [])
})

test('of a source that lacks parts of an index, the best of what it holds is taken', async () => {
  const { source, images } = await twoPlatforms()
  const [arm] = images
  const isHeld = (entry: Descriptor) => entry.digest === arm!.manifestDescriptor.digest
  const warnings: ProgressEvent[] = []
  const progress = (event: ProgressEvent) => warnings.push(event)
  const result = await copyImage(source, createMemoryPlace(), { name: 'x', platform: amd64, isHeld, progress })
  assert.equal(result.manifestDescriptor?.digest, arm!.manifestDescriptor.digest)
  assert.ok(
    warnings.some((event) => event.kind === 'warning' && /linux\/arm\/v6, not for linux\/amd64/.test(event.text)),
  )
  const strict = copyImage(source, createMemoryPlace(), { name: 'x', platform: amd64, isHeld, strictPlatform: true })
  await assert.rejects(strict, { code: 'NO_MATCHING_PLATFORM' })
})

test('of an index that tells no platforms, the configs are asked', async () => {
  const { source, images } = await twoPlatforms()
  const entries = images.map(({ manifestDescriptor }) => manifestDescriptor)
  const { bytes, descriptor } = makeIndex(entries)
  await source.putManifest(descriptor, bytes)
  const name = descriptor.digest
  const result = await copyImage(source, createMemoryPlace(), { name, platform: amd64 })
  assert.equal(result.manifestDescriptor?.digest, images[1]!.manifestDescriptor.digest)
  const none = copyImage(source, createMemoryPlace(), { name, platform: parsePlatform('linux/s390x') })
  await assert.rejects(none, { code: 'NO_MATCHING_PLATFORM', message: /linux\/arm\/v6, linux\/amd64/ })
})

async function* only(bytes: Uint8Array) {
  yield bytes
}

test('verbatim, a list of blobs and an image whose config is none are copied as they are; else they are refused', async () => {
  const source = createMemoryPlace()
  const put = async (text: string, mediaType: string): Promise<Descriptor> => {
    const bytes = Buffer.from(text)
    const descriptor = describe(bytes, mediaType)
    await source.putBlob(descriptor, async () => streamOf(bytes))
    return descriptor
  }
  const config = await put('not even JSON', MediaType.ociConfig)
  const layer = await put('a layer', MediaType.ociLayer)
  const cache = await put('{}', 'application/vnd.buildkit.cacheconfig.v0')
  const add = async (name: string, mediaType: string, content: object) => {
    const bytes = encodeDocument({ schemaVersion: 2, mediaType, ...content })
    const descriptor = describe(bytes, mediaType)
    await source.putManifest(descriptor, bytes)
    await source.tag(name, { descriptor, bytes })
    return descriptor
  }
  const image = await add('image', MediaType.ociManifest, { config, layers: [layer] })
  await add('list', MediaType.ociIndex, { manifests: [layer, cache, image] })
  const judged = (name: string) => copyImage(source, createMemoryPlace(), { name, all: true })
  await assert.rejects(judged('image'), { code: 'INVALID_MANIFEST' })
  await assert.rejects(judged('list'), { code: 'MANIFEST_NOT_FOUND' })
  const target = createMemoryPlace()
  const { copiedBytes } = await copyImage(source, target, { name: 'list', targetName: 'x', all: true, verbatim: true })
  assert.equal(copiedBytes, config.size + layer.size + cache.size, 'each blob once')
  assert.deepEqual(target.names.get('x'), source.names.get('list'))
  for (const blob of [config, layer, cache]) assert.ok(await target.has(blob))
  assert.ok(await target.has(image))
})
