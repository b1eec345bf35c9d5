import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '#blob'
import { encodeDocument, type ImageManifest, MediaType, parseImageConfig, parseManifest, parsePlatform } from '#spec'
import { choosePlatform } from './choose-platform.ts'
import { describe, type ImageDocuments, makeImage, makeIndex, plainLayer } from './make-image.ts'
import { appendLayer, changeConfig, replaceLayers } from './mutate.ts'
import { randomImage } from './random-image.ts'

const diffId = digestOf('tar')
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** Documents as another tool may have written them: members that bale does not know. */
async function foreign(): Promise<ImageDocuments> {
  const image = await randomImage({ layers: 1 })
  const raw = JSON.parse(text(image.configBytes))
  const configBytes = encodeDocument({
    ...raw,
    'x.vendor': { a: 1 },
    config: { ...raw.config, Hostname: 'h', User: 'u' },
  })
  const config = parseImageConfig(configBytes)
  const configDescriptor = describe(configBytes, MediaType.dockerConfig)
  const manifestBytes = encodeDocument({ ...image.manifest, config: configDescriptor, 'y.vendor': true })
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

test('a changed config keeps what bale does not know, and drops what was taken away', async () => {
  const image = await foreign()
  const changed = changeConfig(image, ({ author: _, ...config }) => {
    const { User: _user, ...container } = config.config ?? {}
    return { ...config, config: { ...container, Cmd: ['new'] } }
  })
  const raw = JSON.parse(text(changed.configBytes))
  assert.deepEqual(raw['x.vendor'], { a: 1 })
  assert.equal(raw.config.Hostname, 'h')
  assert.equal('User' in raw.config, false)
  assert.deepEqual(changed.config.config?.Cmd, ['new'])
  assert.equal(JSON.parse(text(changed.manifestBytes))['y.vendor'], true)
  assert.equal(changed.manifest.config.digest, digestOf(changed.configBytes))
  assert.equal(changed.manifest.config.mediaType, MediaType.dockerConfig)
  assert.equal(changed.manifestDescriptor.digest, digestOf(changed.manifestBytes))
  assert.deepEqual(image.config.config?.User, 'u')
})

test('an appended layer is on top in manifest, config and history', async () => {
  const image = await foreign()
  const taller = appendLayer(image, plainLayer(diffId, 3), { created_by: 'me' })
  assert.equal(taller.config.rootfs.diff_ids.at(-1), diffId)
  assert.deepEqual(taller.manifest.layers.at(-1), { mediaType: MediaType.ociLayer, digest: diffId, size: 3 })
  assert.deepEqual(taller.config.history?.at(-1), { created_by: 'me' })
  assert.deepEqual(parseManifest(taller.manifestBytes), { kind: 'manifest', manifest: taller.manifest })
})

test('replaced layers leave the config, and so the image ID, alone', async () => {
  const image = await foreign()
  const smaller = replaceLayers(image, [describe(new Uint8Array(3), MediaType.ociLayerZstd)])
  assert.equal(smaller.configBytes, image.configBytes)
  assert.equal(smaller.manifest.config.digest, image.manifest.config.digest)
  assert.notEqual(smaller.manifestDescriptor.digest, image.manifestDescriptor.digest)
})

const entry = (
  platform: string | undefined,
  digest = digestOf(platform ?? ''),
  annotations?: Record<string, string>,
) => ({
  ...describe(new Uint8Array(), MediaType.ociManifest),
  digest,
  ...(platform ? { platform: parsePlatform(platform) } : {}),
  ...(annotations ? { annotations } : {}),
})
const choices: [wanted: string, offered: string[], chosen: string][] = [
  ['linux/amd64', ['linux/arm64', 'linux/386', 'linux/amd64'], 'linux/amd64'],
  ['linux/amd64', ['linux/386', 'linux/arm'], 'linux/386'],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 'linux/amd64/v2'],
  ['linux/arm64', ['linux/arm/v5', 'linux/arm/v7'], 'linux/arm/v7'],
  ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5'], 'linux/arm/v5'],
]

test('the entry that suits a platform best is chosen', () => {
  for (const [wanted, offered, chosen] of choices) {
    const { index } = makeIndex(offered.map((one) => entry(one)))
    assert.equal(choosePlatform(index, parsePlatform(wanted)).digest, digestOf(chosen), `${wanted} of ${offered}`)
  }
})

test('a lone entry without platform is taken, an attestation never', () => {
  const attestation = entry('unknown/unknown', digestOf('sbom'), {
    'vnd.docker.reference.type': 'attestation-manifest',
  })
  const { index } = makeIndex([attestation, entry(undefined)])
  assert.equal(choosePlatform(index, parsePlatform('linux/amd64')).digest, digestOf(''))
  const { index: lonely } = makeIndex([attestation])
  assert.throws(() => choosePlatform(lonely, parsePlatform('unknown/unknown')), { code: 'NO_MATCHING_PLATFORM' })
})
