import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '#blob'
import { encodeDocument, type ImageManifest, MediaType, parseImageConfig, parseManifest } from '#spec'
import { describe, type ImageDocuments, makeImage, plainLayer } from './make-image.ts'
import { randomImage } from './random-image.ts'
import { replaceLayers } from './replace-layers.ts'

const diffId = digestOf('tar')
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** Documents as another tool may have written them: members that bale does not know. */
async function foreign(): Promise<ImageDocuments> {
  const image = await randomImage({ layers: 1 })
  const raw = JSON.parse(text(image.configBytes))
  const configBytes = encodeDocument({
    ...raw,
    'x.vendor': { a: 1 },
    'os.version': '10.0',
    config: { ...raw.config, Hostname: 'h', User: 'u' },
  })
  const config = parseImageConfig(configBytes)
  const configDescriptor = describe(configBytes, MediaType.dockerConfig)
  const manifestBytes = encodeDocument({
    ...image.manifest,
    config: configDescriptor,
    annotations: { kept: 'yes' },
    'y.vendor': true,
  })
  const parsed = parseManifest(manifestBytes) as { manifest: ImageManifest }
  const manifestDescriptor = describe(manifestBytes, MediaType.ociManifest)
  return { config, configBytes, configDescriptor, manifest: parsed.manifest, manifestBytes, manifestDescriptor }
}

test('equal input gives equal bytes, whatever the order of its members', () => {
  const parts = { architecture: 'amd64', os: 'linux', created: '2024-01-01T00:00:00Z' }
  const one = makeImage({ config: { ...parts, config: { Labels: { b: '2', a: '1' }, Env: ['A=b'] } }, layers: [] })
  const { created, os, architecture } = parts
  const two = makeImage({
    config: { config: { Env: ['A=b'], Labels: { a: '1', b: '2' } }, created, os, architecture },
    layers: [],
  })
  assert.equal(text(one.configBytes), text(two.configBytes))
  assert.equal(one.manifestDescriptor.digest, two.manifestDescriptor.digest)
  assert.equal(one.manifestDescriptor.digest, digestOf(one.manifestBytes))
})

test('an image on a base has its layers, history and annotations below the own ones', async () => {
  const base = await foreign()
  const made = makeImage({
    base,
    config: { architecture: 'amd64', os: 'linux', config: { Cmd: ['new'] }, history: [{ created_by: 'me' }] },
    layers: [plainLayer(diffId, 3)],
    annotations: { added: 'yes' },
  })
  const { config, manifest } = made
  assert.deepEqual(config.rootfs.diff_ids, [...base.config.rootfs.diff_ids, diffId])
  assert.deepEqual(manifest.layers.at(-1), { mediaType: MediaType.ociLayer, digest: diffId, size: 3 })
  assert.deepEqual(manifest.layers.slice(0, -1), base.manifest.layers)
  assert.deepEqual(config.history, [...base.config.history!, { created_by: 'me' }])
  assert.deepEqual(manifest.annotations, { kept: 'yes', added: 'yes' })
  assert.equal(config['os.version'], '10.0')
  assert.deepEqual(parseManifest(made.manifestBytes), { kind: 'manifest', manifest })
})

test('what only the base knows is left out of the config, as docker does it', async () => {
  const made = makeImage({ base: await foreign(), config: { architecture: 'amd64', os: 'linux' }, layers: [] })
  const raw = JSON.parse(text(made.configBytes))
  assert.deepEqual(Object.keys(raw), ['architecture', 'os', 'os.version', 'rootfs', 'history'])
})

test('a base with less history than layers gets an entry for each layer', async () => {
  const image = await randomImage({ layers: 2 })
  const base = { ...image, config: { ...image.config, history: [{ created_by: 'all at once' }] } }
  const { config } = makeImage({ base, config: { architecture: 'amd64', os: 'linux', history: [{}] }, layers: [] })
  assert.deepEqual(config.history, [{ created_by: 'all at once' }, { created: image.config.created }, {}])
})

test('a manifest of docker’s with a layer compressed by zstd becomes one of OCI, down to its descriptors', async () => {
  const image = await foreign()
  const types = { config: MediaType.dockerConfig, layers: [MediaType.dockerLayerGzip, MediaType.dockerLayer] }
  const layers = types.layers.map((mediaType, index) => describe(new Uint8Array(index + 1), mediaType))
  const config = { ...image.manifest.config, mediaType: types.config }
  const docker = { ...image, manifest: { ...image.manifest, mediaType: MediaType.dockerManifest, config, layers } }
  const gzip = replaceLayers(docker, layers)
  assert.equal(gzip.manifestDescriptor.mediaType, MediaType.dockerManifest)
  const zstd = { ...layers[1]!, mediaType: MediaType.ociLayerZstd }
  const { manifest, manifestDescriptor, manifestBytes } = replaceLayers(docker, [layers[0]!, zstd])
  assert.deepEqual(
    [manifestDescriptor.mediaType, manifest.config.mediaType, ...manifest.layers.map((one) => one.mediaType)],
    [MediaType.ociManifest, MediaType.ociConfig, MediaType.ociLayerGzip, MediaType.ociLayerZstd],
  )
  assert.equal(parseManifest(manifestBytes).kind, 'manifest')
})

test('replaced layers leave the config, and so the image ID, alone', async () => {
  const image = await foreign()
  const smaller = replaceLayers(image, [describe(new Uint8Array(3), MediaType.ociLayerZstd)])
  assert.equal(smaller.configBytes, image.configBytes)
  assert.equal(smaller.manifest.config.digest, image.manifest.config.digest)
  assert.equal(JSON.parse(text(smaller.manifestBytes))['y.vendor'], true)
  assert.notEqual(smaller.manifestDescriptor.digest, image.manifestDescriptor.digest)
})
