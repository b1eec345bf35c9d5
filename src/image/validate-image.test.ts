import assert from 'node:assert/strict'
import { test } from 'node:test'
import { streamOf } from '#blob'
import { type Digest, encodeDocument, MediaType, parsePlatform } from '#spec'
import type { ImageSource } from './image-place.ts'
import { makeDocuments, makeIndex } from './make-image.ts'
import { createMemoryPlace } from './memory-place.ts'
import { putImage, putIndex, type RandomImage, randomImage } from './random-image.ts'
import { validateImage } from './validate-image.ts'

/** A source that answers with other bytes for one digest. */
function lying(place: ImageSource, digest: Digest, bytes: Uint8Array): ImageSource {
  return {
    resolve: (name) => place.resolve(name),
    manifest: async (descriptor) => (descriptor.digest === digest ? bytes : place.manifest(descriptor)),
    blob: async (descriptor) => (descriptor.digest === digest ? streamOf(bytes) : place.blob(descriptor)),
  }
}

async function problemsOf(source: ImageSource): Promise<[part: string, code: string][]> {
  const problems = await validateImage(source, { name: 'x' })
  return problems.map(({ part, error }) => [part, error.code])
}

async function placeOf(...images: RandomImage[]) {
  const place = createMemoryPlace()
  if (images.length === 1) await putImage(place, images[0]!, 'x')
  else await putIndex(place, images, 'x')
  return place
}

test('sound images of every compression, and an index of them, have no problems', async () => {
  const images = await Promise.all([
    randomImage({ compression: 'none' }),
    randomImage({ compression: 'gzip', platform: parsePlatform('linux/arm64') }),
    randomImage({ compression: 'zstd', platform: parsePlatform('linux/arm') }),
  ])
  assert.deepEqual(await problemsOf(await placeOf(...images)), [])
})

test('M01 each damage is told by its part, and the rest is looked at all the same', async () => {
  const image = await randomImage({ layers: 3 })
  const place = await placeOf(image)
  const [first, second] = image.manifest.layers
  const short = image.blobs.get(first!.digest)!.subarray(1)
  assert.deepEqual(await problemsOf(lying(place, first!.digest, short)), [['layer', 'SIZE_MISMATCH']])
  const flipped = new Uint8Array(image.blobs.get(second!.digest)!)
  flipped[flipped.length - 9]! ^= 1
  const manifest = new Uint8Array(image.manifestBytes)
  manifest[20]! ^= 1
  assert.equal((await problemsOf(lying(place, second!.digest, flipped))).length, 1)
  assert.deepEqual(await problemsOf(lying(place, image.manifestDescriptor.digest, manifest)), [
    ['manifest', 'DIGEST_MISMATCH'],
  ])
  await place.blobs.delete(first!.digest)
  await place.blobs.delete(second!.digest)
  assert.deepEqual(await problemsOf(place), [
    ['layer', 'BLOB_NOT_FOUND'],
    ['layer', 'BLOB_NOT_FOUND'],
  ])
})

test('M05 layers that unpack to something else than the config tells, and odd history, are told', async () => {
  const [image, other] = await Promise.all([randomImage({ seed: 1 }), randomImage({ seed: 2 })])
  const config = { ...image.config, rootfs: other.config.rootfs, history: [{}] }
  const layers = image.manifest.layers.map((layer, index) => ({
    ...layer,
    diffId: other.config.rootfs.diff_ids[index]!,
  }))
  const place = createMemoryPlace()
  const wrong = { ...makeDocuments({ configBytes: encodeDocument(config), layers }), blobs: image.blobs }
  await putImage(place, wrong, 'x')
  assert.deepEqual(await problemsOf(place), [
    ['history', 'INVALID_MANIFEST'],
    ['layer', 'DIGEST_MISMATCH'],
    ['layer', 'DIGEST_MISMATCH'],
  ])
})

test('M07 endless nesting is told, not followed', async () => {
  const place = createMemoryPlace()
  let inner = makeIndex([])
  for (let depth = 0; depth < 10; depth++) {
    await place.putManifest(inner.descriptor, inner.bytes)
    inner = makeIndex([inner.descriptor])
  }
  await place.putManifest(inner.descriptor, inner.bytes)
  await place.tag('x', inner)
  assert.equal(inner.descriptor.mediaType, MediaType.ociIndex)
  assert.deepEqual(await problemsOf(place), [['manifest', 'LIMIT_EXCEEDED']])
})

test('a cancelled validation rejects instead of calling the image damaged', async () => {
  const place = await placeOf(await randomImage())
  await assert.rejects(validateImage(place, { name: 'x', signal: AbortSignal.abort(new Error('enough')) }), /enough/)
})
