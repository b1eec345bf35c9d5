import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { checkConfigMatches, historyObjection, parseImageConfig } from './image-config.ts'
import { parseManifest } from './manifest.ts'
import { MediaType } from './media-types.ts'
import { parseRegistryErrors } from './registry-errors.ts'
import { encodeDocument } from './strict-json.ts'

const HEX = 'ab'.repeat(32)
const config = { mediaType: MediaType.ociConfig, digest: `sha256:${HEX}`, size: 2 }
const layer = { mediaType: MediaType.ociLayer, digest: `sha512:${HEX}${HEX}`, size: 0 }
const manifest = { schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers: [layer] }
const index = {
  schemaVersion: 2,
  mediaType: MediaType.ociIndex,
  manifests: [
    { ...config, mediaType: MediaType.ociManifest, platform: { os: 'linux', architecture: 'x86_64', variant: '' } },
  ],
}

const read = (value: unknown, announced?: string) => parseManifest(encodeDocument(value), announced)

test('manifests and indexes of OCI and docker are read, frozen, with null members left out', () => {
  const parsed = read({ ...manifest, annotations: { a: 'b', c: null }, subject: null, extra: { x: 1 } })
  assert.equal(parsed.kind, 'manifest')
  assert.deepEqual(parsed.kind === 'manifest' && parsed.manifest, { ...manifest, annotations: { a: 'b' } })
  assert.ok(parsed.kind === 'manifest' && Object.isFrozen(parsed.manifest.layers[0]))
  const list = read({ ...index, mediaType: MediaType.dockerIndex }, `${MediaType.dockerIndex}; charset=utf-8`)
  const written = { os: 'linux', architecture: 'x86_64' }
  assert.deepEqual(list.kind === 'index' && list.index.manifests[0]?.platform, written, 'as the document has it')
})

test('a document without mediaType takes the announced one, or is told by its shape', () => {
  assert.equal(read({ ...manifest, mediaType: undefined }).kind, 'manifest')
  assert.equal(read({ ...index, mediaType: undefined }).kind, 'index')
  const docker = read({ ...manifest, mediaType: undefined }, MediaType.dockerManifest)
  assert.equal(docker.kind === 'manifest' && docker.manifest.mediaType, MediaType.dockerManifest)
})

const refused: [name: string, value: unknown, announced: string | undefined, message: RegExp][] = [
  ['M02 manifests and layers at once', { ...manifest, manifests: [] }, undefined, /manifest and an index at once/],
  ['M02 an index with layers', { ...index, layers: [] }, undefined, /manifest and an index at once/],
  ['M02 without mediaType, manifests and config', { ...index, mediaType: undefined, config }, undefined, /at once/],
  ['M02 another type than announced', manifest, MediaType.ociIndex, /announced as/],
  [
    'M02 an index announced as a manifest',
    { ...index, mediaType: undefined },
    MediaType.ociManifest,
    /at once|missing/,
  ],
  ['M01 size as text', { ...manifest, layers: [{ ...layer, size: '12' }] }, undefined, /layers\[0\]\.size/],
  ['M01 negative size', { ...manifest, layers: [{ ...layer, size: -1 }] }, undefined, /layers\[0\]\.size/],
  ['M01 size beyond 2^53', { ...manifest, config: { ...config, size: 2 ** 53 } }, undefined, /config\.size/],
  ['M01 no size', { ...manifest, config: { ...config, size: undefined } }, undefined, /size is missing/],
  ['an unknown media type', { ...manifest, mediaType: 'text/html' }, undefined, /not an image manifest/],
  [
    'a media type with a line break',
    { ...manifest, layers: [{ ...layer, mediaType: 'a/b\r\nX: y' }] },
    undefined,
    /media type/,
  ],
  ['no layers', { ...manifest, layers: undefined }, undefined, /layers is missing/],
  ['docker schema 1', { schemaVersion: 1, fsLayers: [], signatures: [] }, undefined, /schema version 1/],
  ['schema 3', { ...manifest, schemaVersion: 3 }, undefined, /schemaVersion/],
  [
    'an index of odd entries alone',
    { ...index, manifests: [{ ...config, size: -1 }] },
    undefined,
    /manifests\[0\]\.size/,
  ],
  ['a list', [], undefined, /not an object/],
  ['annotations of numbers', { ...manifest, annotations: { a: 1 } }, undefined, /annotations/],
]

const good = { ...config, mediaType: MediaType.ociManifest, platform: { os: 'linux', architecture: 'arm' } }
const odd: [name: string, platform: unknown][] = [
  ['M08 a path', { os: '../x', architecture: 'a' }],
  ['M08 an escape sequence', { os: 'linux', architecture: 'a\u001b[2J' }],
  ['an empty system', { os: '', architecture: 'arm' }],
  ['a list of variants', { os: 'linux', architecture: 'arm', variant: 'v6, v7' }],
  ['a number', { os: 'linux', architecture: 6 }],
  ['a text', 'linux/amd64'],
  ['features that are none', { os: 'linux', architecture: 'arm', 'os.features': 'x' }],
]

for (const [name, platform] of odd)
  test(`a platform that is none (${name}) suits no machine, and the entries beside it are read`, () => {
    const parsed = read({ ...index, manifests: [{ ...good, platform }, good] })
    assert.ok(parsed.kind === 'index')
    assert.deepEqual(parsed.index.manifests[0]!.platform, { os: 'unknown', architecture: 'unknown' })
    assert.deepEqual(parsed.index.manifests[1]!.platform, good.platform)
  })

test('an entry that names nothing is left out of an index, and the reason is kept', () => {
  for (const entry of [{ ...good, digest: 'blake3:abc' }, { ...good, size: -1 }, { ...good, mediaType: 7 }, null]) {
    const parsed = read({ ...index, manifests: [entry, good] })
    assert.ok(parsed.kind === 'index')
    assert.deepEqual(parsed.index.manifests, [good])
    assert.equal(parsed.index.unreadable?.length, 1)
  }
})

test("the config's media type may be empty, as manifests of 2016 have it", () => {
  const parsed = read({ ...manifest, config: { ...config, mediaType: '' } })
  assert.equal(parsed.kind === 'manifest' && parsed.manifest.config.mediaType, 'application/octet-stream')
})

for (const [name, value, announced, message] of refused) {
  test(`${name} is refused`, () => {
    assert.throws(
      () => read(value, announced),
      (error) => isBaleError(error, 'INVALID_MANIFEST') && message.test(error.message),
    )
  })
}

test('M14 digests of an unknown algorithm, in upper case or with a path in them are refused', () => {
  for (const digest of [
    `md5:${'a'.repeat(32)}`,
    `sha256:${HEX.toUpperCase()}`,
    'sha256:../../etc',
    `sha256:${HEX}%2f`,
  ]) {
    assert.throws(() => read({ ...manifest, layers: [{ ...layer, digest }] }), { code: 'INVALID_DIGEST' }, digest)
  }
})

test('M04 M07 manifests beyond 4 MiB, thousands of layers and 10^5 entries are refused', () => {
  assert.throws(() => read({ ...manifest, annotations: { a: 'x'.repeat(4 << 20) } }), { code: 'LIMIT_EXCEEDED' })
  const short = { mediaType: 'a/b', digest: `sha256:${HEX}`, size: 1 }
  assert.throws(() => read({ ...manifest, layers: Array(4097).fill(short) }), { code: 'LIMIT_EXCEEDED' })
  assert.throws(() => read({ ...index, manifests: Array(10_001).fill(short) }), { code: 'LIMIT_EXCEEDED' })
})

const image = {
  architecture: 'amd64',
  os: 'linux',
  created: '2024-01-02T03:04:05.123456789Z',
  config: {
    Env: ['A=b'],
    Cmd: null,
    Entrypoint: 'sh',
    Labels: null,
    ExposedPorts: { '80/tcp': null },
    Volumes: { '/v': {} },
  },
  rootfs: { type: 'layers', diff_ids: [`sha256:${HEX}`] },
  history: [{ created_by: 'a' }, { created_by: 'b', empty_layer: true }],
}
const readConfig = (value: unknown) => parseImageConfig(encodeDocument(value))

test('an image config is read with docker’s nulls left out', () => {
  const parsed = readConfig(image)
  assert.deepEqual(parsed.config, {
    Env: ['A=b'],
    Entrypoint: ['sh'],
    Volumes: { '/v': {} },
    ExposedPorts: { '80/tcp': {} },
  })
  assert.equal(parsed.created, image.created)
  assert.ok(Object.isFrozen(parsed.config?.Env))
  assert.deepEqual(readConfig({ rootfs: { type: 'layers', diff_ids: null } }).rootfs.diff_ids, [])
})

test('M10 M13 configs with members of a wrong type are refused by name', () => {
  const wrong: [object, RegExp][] = [
    [{ ...image, config: { Env: [1] } }, /config\.config\.Env/],
    [{ ...image, config: { Env: ['A=b\0c'] } }, /NUL/],
    [{ ...image, config: { Cmd: { a: 1 } } }, /config\.config\.Cmd/],
    [{ ...image, config: { Healthcheck: { Retries: 1.5 } } }, /Healthcheck\.Retries/],
    [{ ...image, config: [] }, /config\.config/],
    [{ ...image, rootfs: undefined }, /rootfs is missing/],
    [{ ...image, rootfs: { type: 'tree', diff_ids: [] } }, /rootfs\.type/],
    [{ ...image, created: 'yesterday-ish' }, /created/],
    [{ ...image, history: [1] }, /history\[0\]/],
  ]
  for (const [value, message] of wrong) {
    assert.throws(
      () => readConfig(value),
      (error) => isBaleError(error, 'INVALID_MANIFEST') && message.test(error.message),
      String(message),
    )
  }
})

test('M03 a label __proto__ stays a label', () => {
  const parsed = parseImageConfig(
    new TextEncoder().encode(`{"rootfs":{"diff_ids":[]},"config":{"Labels":{"__proto__":"x"}}}`),
  )
  assert.deepEqual(Object.entries(parsed.config?.Labels ?? {}), [['__proto__', 'x']])
})

test('M05 a config that lists other layers than the manifest is refused, odd history only remarked', () => {
  const parsed = read(manifest)
  assert.ok(parsed.kind === 'manifest')
  checkConfigMatches(parsed.manifest, readConfig(image))
  assert.equal(historyObjection(readConfig(image)), undefined)
  assert.match(historyObjection(readConfig({ ...image, history: [{}, {}] })) ?? '', /describes 2 layers/)
  const two = readConfig({ ...image, rootfs: { type: 'layers', diff_ids: [`sha256:${HEX}`, `sha256:${HEX}`] } })
  assert.throws(() => checkConfigMatches(parsed.manifest, two), { code: 'INVALID_MANIFEST' })
})

test('a registry’s error body is read, and anything else is not', () => {
  assert.deepEqual(parseRegistryErrors('{"errors":[{"code":"DENIED","message":"no","detail":null},{"code":1}]}'), [
    { code: 'DENIED', message: 'no' },
  ])
  for (const body of ['<html>', '', 'null', '[]', '{"errors":{}}', '{"errors":[]}']) {
    assert.equal(parseRegistryErrors(body), undefined, body)
  }
})
