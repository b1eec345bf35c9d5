import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { digestOf, streamOf } from '#blob'
import { readBytesSync } from '#host/file'
import { createMemoryPlace, type ImageSource, type MemoryPlace, putImage, putIndex, randomImage } from '#image'
import { type Descriptor, encodeDocument, MediaType } from '#spec'
import { createLayoutTarget, openLayout } from '#transport'
import { createBundle } from '../../../../../test/kit/advisory-bundle.ts'
import { temporaryDirectory } from '../../../../../test/kit/temporary.ts'
import type { Advisory } from '../../advisory.ts'
import { openBundle } from '../file/open-bundle.ts'
import { bundleIn, installBundle } from './install-bundle.ts'
import { pullBundle } from './pull-bundle.ts'
import { pushBundle } from './push-bundle.ts'

const DAYS = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z'] as const

const advisory = (id: string): Advisory => ({
  id,
  aliases: [],
  ecosystem: 'npm',
  name: 'a',
  ranges: [],
  versions: ['1'],
  state: 'fixed',
  source: 'osv',
})

/** A directory with a bundle of each day, and a place to install into. */
async function workplace() {
  const directory = await temporaryDirectory('bale-artifact')
  const files: string[] = []
  for (const [index, created] of DAYS.entries()) {
    const path = join(directory.path, `${index}.sqlite`)
    const advisories = Array.from({ length: 200 }, (_, number) => advisory(`GHSA-${index}-${number}`))
    await createBundle(path, {
      created,
      sources: [{ kind: 'osv', address: 'x', asOf: created, knows: () => 'all', advisories }],
    })
    files.push(path)
  }
  return {
    files,
    path: directory.path,
    installed: join(directory.path, 'installed'),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

const ids = (directory: string) => {
  using bundle = openBundle(bundleIn(directory))
  return bundle
    .find('npm', 'a')
    .slice(0, 1)
    .map(({ id }) => id)
}

interface Manifest {
  artifactType: string
  config: Descriptor
  layers: Descriptor[]
}
type Change = (manifest: Manifest, config: Record<string, unknown>) => void

/** A place whose documents are changed on the way. */
async function bent(place: MemoryPlace, change: Change) {
  const { descriptor, bytes } = await place.resolve(undefined)
  const manifest = JSON.parse(Buffer.from(bytes).toString()) as Manifest
  const config = JSON.parse(Buffer.concat(await Array.fromAsync(await place.blob(manifest.config))).toString())
  change(manifest, config)
  const target = createMemoryPlace()
  const layerBytes = Buffer.concat(
    await Array.fromAsync(await place.blob(JSON.parse(Buffer.from(bytes).toString()).layers[0])),
  )
  await put(target, manifest.layers[0]!, layerBytes)
  const configBytes = encodeDocument(config)
  manifest.config = { ...manifest.config, digest: digestOf(configBytes), size: configBytes.length }
  await put(target, manifest.config, configBytes)
  const manifestBytes = encodeDocument(manifest)
  const changed = { ...descriptor, digest: digestOf(manifestBytes), size: manifestBytes.length }
  await target.putManifest(changed, manifestBytes)
  await target.tag('x', { descriptor: changed, bytes: manifestBytes })
  return target
}

async function put(target: MemoryPlace, { mediaType }: Descriptor, bytes: Uint8Array): Promise<Descriptor> {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
  await target.putBlob(descriptor, async () => streamOf(bytes))
  return descriptor
}

async function pushed(file: string): Promise<MemoryPlace> {
  const place = createMemoryPlace()
  await pushBundle(place, file, { tag: 'latest' })
  return place
}

test('a bundle that was pushed is pulled, byte for byte, and its manifest says what it is', async () => {
  await using work = await workplace()
  const place = createMemoryPlace()
  const { descriptor, bytes } = await pushBundle(place, work.files[0]!, { tag: 'latest' })
  const manifest = JSON.parse(Buffer.from(bytes).toString())
  assert.deepEqual(
    [
      manifest.artifactType,
      manifest.config.mediaType,
      manifest.layers.map((layer: Descriptor) => layer.mediaType),
      manifest.annotations,
    ],
    [
      'application/vnd.bale.advisories.v1',
      'application/vnd.bale.advisories.config.v1+json',
      ['application/vnd.bale.advisories.v1.sqlite+zstd'],
      { 'org.opencontainers.image.created': DAYS[0] },
    ],
  )
  const pulled = await pullBundle(place, work.installed, { name: 'latest' })
  assert.deepEqual(
    [pulled.path, pulled.unchanged, pulled.descriptor.digest],
    [bundleIn(work.installed), false, descriptor.digest],
  )
  assert.deepEqual(readBytesSync(pulled.path), readBytesSync(work.files[0]!))
  assert.deepEqual(readdirSync(work.installed), ['advisories.sqlite'])
  assert.equal((await pullBundle(place, work.installed)).unchanged, true)
})

test('the same bundle makes the same artifact', async () => {
  await using work = await workplace()
  const [first, second] = [createMemoryPlace(), createMemoryPlace()]
  assert.deepEqual(await pushBundle(first, work.files[0]!), await pushBundle(second, work.files[0]!))
})

test('an OCI layout carries a bundle', async () => {
  await using work = await workplace()
  const path = join(work.path, 'layout')
  const target = await createLayoutTarget(path)
  await pushBundle(target, work.files[0]!, { tag: 'latest' })
  await target.finish?.()
  await pullBundle(await openLayout(path), work.installed, { name: 'latest' })
  assert.deepEqual(ids(work.installed), ['GHSA-0-0'])
})

test('V03 an older bundle is taken only on request, a newer one always', async () => {
  await using work = await workplace()
  await installBundle(work.files[1]!, work.installed)
  const older = await pushed(work.files[0]!)
  const refusal = { code: 'CONFLICT', message: /of 2026-01-01T00:00:00.000Z is older than .* 2026-01-02T00:00:00.000Z/ }
  await assert.rejects(pullBundle(older, work.installed), refusal)
  await assert.rejects(installBundle(work.files[0]!, work.installed), refusal)
  assert.deepEqual(ids(work.installed), ['GHSA-1-0'])
  await pullBundle(older, work.installed, { acceptOlder: true })
  assert.deepEqual(ids(work.installed), ['GHSA-0-0'])
  await pullBundle(await pushed(work.files[2]!), work.installed)
  assert.deepEqual(ids(work.installed), ['GHSA-2-0'])
})

test('an older bundle is refused before its layer is fetched', async () => {
  await using work = await workplace()
  await installBundle(work.files[1]!, work.installed)
  const place = await pushed(work.files[0]!)
  const asked: string[] = []
  const watched: ImageSource = {
    ...place,
    blob(descriptor, options) {
      asked.push(descriptor.mediaType)
      return place.blob(descriptor, options)
    },
  }
  await assert.rejects(pullBundle(watched, work.installed), { code: 'CONFLICT' })
  assert.deepEqual(asked, ['application/vnd.bale.advisories.config.v1+json'])
})

test('V03 whoever verifies is asked about the manifest before anything else is read, and can refuse', async () => {
  await using work = await workplace()
  const place = await pushed(work.files[0]!)
  const untouched: ImageSource = { ...place, blob: () => assert.fail('nothing is to be read') }
  const { descriptor } = await place.resolve('latest')
  const verify = async (asked: Descriptor) => {
    assert.equal(asked.digest, descriptor.digest)
    throw new Error('not signed')
  }
  await assert.rejects(pullBundle(untouched, work.installed, { verify }), /not signed/)
  assert.equal(existsSync(work.installed), false)
})

const kinds: readonly [string, Change, string, RegExp][] = [
  [
    'a later kind of artifact',
    (manifest) => (manifest.artifactType = 'application/vnd.bale.advisories.v2'),
    'UNSUPPORTED',
    /x has schema 2, but this version of bale reads only schema 1/,
  ],
  [
    'another kind of artifact',
    (manifest) => (manifest.artifactType = 'application/vnd.example'),
    'UNSUPPORTED',
    /no bundle of advisories, but application\/vnd.example/,
  ],
  ['a later schema in the config', (_manifest, config) => (config['schema'] = 9), 'UNSUPPORTED', /schema 9/],
  ['no schema', (_manifest, config) => (config['schema'] = '1'), 'INVALID_MANIFEST', /no schema/],
  ['no time', (_manifest, config) => (config['created'] = 'soon'), 'INVALID_MANIFEST', /no time/],
  ['no version', (_manifest, config) => (config['version'] = 'x'), 'INVALID_MANIFEST', /no version/],
  ['no size', (_manifest, config) => (config['size'] = -1), 'INVALID_MANIFEST', /how large/],
  [
    'a size beyond all bounds',
    (_manifest, config) => (config['size'] = 2 ** 50),
    'LIMIT_EXCEEDED',
    /1125899906842624 bytes/,
  ],
  ['two layers', (manifest) => manifest.layers.push(manifest.layers[0]!), 'INVALID_MANIFEST', /one layer/],
  [
    'a layer of another type',
    (manifest) => (manifest.layers[0]!.mediaType = MediaType.ociLayerZstd),
    'INVALID_MANIFEST',
    /one layer/,
  ],
  [
    'a file larger than the config says',
    (_manifest, config) => (config['size'] = 1000),
    'LIMIT_EXCEEDED',
    /larger than 1000 bytes/,
  ],
  [
    'a later time in the config than in the file',
    (_manifest, config) => (config['created'] = DAYS[2]),
    'INVALID_ARCHIVE',
    /not the one that its config describes/,
  ],
  [
    'another version in the config than in the file',
    (_manifest, config) => (config['version'] = `sha256:${'1'.repeat(64)}`),
    'INVALID_ARCHIVE',
    /not the one/,
  ],
]

for (const [title, change, code, message] of kinds) {
  test(`V03 a bundle is refused, and the installed one stays: ${title}`, async () => {
    await using work = await workplace()
    await installBundle(work.files[0]!, work.installed)
    const place = await bent(await pushed(work.files[1]!), change)
    await assert.rejects(pullBundle(place, work.installed, { name: 'x' }), (error: Error & { code?: string }) => {
      assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message)
      return true
    })
    assert.deepEqual([ids(work.installed), readdirSync(work.installed)], [['GHSA-0-0'], ['advisories.sqlite']])
  })
}

test('images and indexes of them are no bundles', async () => {
  await using work = await workplace()
  const place = createMemoryPlace()
  const image = await randomImage()
  await putImage(place, image, 'image')
  await putIndex(place, [image], 'index')
  for (const name of ['image', 'index'])
    await assert.rejects(pullBundle(place, work.installed, { name }), {
      code: 'UNSUPPORTED',
      message: /no bundle of advisories/,
    })
})

for (const [title, bend, code] of [
  ['cut in the middle', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2), 'SIZE_MISMATCH'],
  [
    'changed',
    (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])]),
    /^(?:DIGEST_MISMATCH|INVALID_COMPRESSION)$/,
  ],
  ['longer', (bytes: Buffer) => Buffer.concat([bytes, bytes]), 'SIZE_MISMATCH'],
  ['something else', (bytes: Buffer) => Buffer.alloc(bytes.length, 'x'), 'INVALID_COMPRESSION'],
] as const) {
  test(`V03 a layer that comes ${title} is refused, and nothing is left of it`, async () => {
    await using work = await workplace()
    const place = await pushed(work.files[0]!)
    const bending: ImageSource = {
      ...place,
      async blob(descriptor, options) {
        const bytes = Buffer.concat(await Array.fromAsync(await place.blob(descriptor, options)))
        return streamOf(descriptor.mediaType.endsWith('zstd') ? bend(bytes) : bytes)
      },
    }
    await assert.rejects(pullBundle(bending, work.installed), (error: Error & { code?: string }) => {
      assert.match(error.code!, typeof code === 'string' ? new RegExp(`^${code}$`) : code)
      return true
    })
    assert.deepEqual(readdirSync(work.installed), [])
  })
}

test('a layer with the right digest that is no bundle, or whose content is not what it says, is refused', async () => {
  await using work = await workplace()
  const place = await pushed(work.files[0]!)
  const forged = Buffer.from(readBytesSync(work.files[0]!))
  forged.write('GHSA-9', forged.indexOf('GHSA-0'))
  for (const bytes of [Buffer.from('no bundle'), forged]) {
    const layer = zstdCompressSync(bytes)
    const described = await put(
      place,
      { mediaType: 'application/vnd.bale.advisories.v1.sqlite+zstd' } as Descriptor,
      layer,
    )
    const target = createMemoryPlace()
    const { bytes: manifestBytes, descriptor } = await place.resolve('latest')
    const manifest = { ...JSON.parse(Buffer.from(manifestBytes).toString()), layers: [described] }
    const changed = encodeDocument(manifest)
    const root = { ...descriptor, digest: digestOf(changed), size: changed.length }
    await target.putManifest(root, changed)
    await target.tag('x', { descriptor: root, bytes: changed })
    await assert.rejects(pullBundle({ ...target, blob: place.blob }, work.installed), { code: 'INVALID_ARCHIVE' })
  }
  assert.deepEqual(readdirSync(work.installed), [])
})

test('a damaged bundle that is installed is replaced by any other', async () => {
  await using work = await workplace()
  await installBundle(work.files[1]!, work.installed)
  writeFileSync(bundleIn(work.installed), 'damaged')
  const { unchanged } = await installBundle(work.files[0]!, work.installed)
  assert.deepEqual([unchanged, ids(work.installed)], [false, ['GHSA-0-0']])
})
