import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { isBaleError } from '#base'
import { digestOf } from '#blob'
import type { NewTarEntry } from '#format/tar'
import { copyImage, createMemoryPlace, makeImage, makeIndex, type RandomImage, randomImage } from '#image'
import { hexOf } from '#spec'
import { makeTar } from '../../../test/kit/scanned-tar.ts'
import { openArchive } from './open-archive.ts'

const directory = mkdtempSync(join(tmpdir(), 'bale-open-archive-'))
after(() => rmSync(directory, { recursive: true, force: true }))

type Entry = NewTarEntry & { content?: string | Uint8Array }
const file = (name: string, content: string | Uint8Array): Entry => ({ name, type: 'file', content })
const link = (name: string, linkName: string, type: 'symlink' | 'hardlink' = 'symlink'): Entry => ({
  name,
  type,
  linkName,
})
const json = (name: string, value: unknown) => file(name, JSON.stringify(value))

let count = 0
async function written(entries: Entry[], wrap: (tar: Buffer) => Uint8Array = (tar) => tar): Promise<string> {
  const path = join(directory, `archive-${count++}.tar`)
  writeFileSync(path, wrap(await makeTar(entries)))
  return path
}

/** All images with names, image ID and the bytes of their layers, everything verified by copying. */
async function contents(input: string | AsyncIterable<Uint8Array>) {
  await using archive = await openArchive(input, { temporary: directory })
  const found = []
  for (const { names, descriptor } of archive.images()) {
    const place = createMemoryPlace()
    await copyImage(archive, place, { name: descriptor.digest })
    const manifest = JSON.parse(Buffer.from(place.manifests.get(descriptor.digest)!).toString())
    const layers: Buffer[] = []
    for (const layer of manifest.layers) layers.push(Buffer.concat(await Array.fromAsync(await place.blob(layer))))
    found.push({ names, id: manifest.config.digest as string, digest: descriptor.digest, layers, manifest })
  }
  return found
}

const image = await randomImage({ layers: 3, compression: 'none' })
const configName = `${hexOf(image.configDescriptor.digest)}.json`
const tarOf = (one: RandomImage, index: number) => Buffer.from(one.tars[index]!)

/** As docker 1.10 to 24 save: a directory for each layer. */
const legacy = (one: RandomImage, ids = ['aa', 'bb', 'cc']): Entry[] => [
  file(`${hexOf(one.configDescriptor.digest)}.json`, one.configBytes),
  ...ids.flatMap((id, index): Entry[] => [
    { name: id, type: 'directory' },
    file(`${id}/VERSION`, '1.0'),
    json(`${id}/json`, { id }),
    file(`${id}/layer.tar`, tarOf(one, index)),
  ]),
]
const manifestJson = (Layers: string[], RepoTags: unknown = ['sample:1.0'], Config = configName) =>
  json('manifest.json', [{ Config, RepoTags, Layers }])
const layerPaths = ['aa/layer.tar', 'bb/layer.tar', 'cc/layer.tar']

test('an archive of docker before 25 is read: layers in directories, a manifest made the same way every time', async () => {
  const path = await written([...legacy(image), manifestJson(layerPaths), json('repositories', {})])
  const [found, ...others] = await contents(path)
  assert.equal(others.length, 0)
  assert.deepEqual(found!.names, ['docker.io/library/sample:1.0'])
  assert.equal(found!.id, image.configDescriptor.digest)
  assert.deepEqual(
    found!.layers,
    image.tars.map((tar) => Buffer.from(tar)),
  )
  assert.equal(found!.digest, (await contents(path))[0]!.digest)
  assert.equal(found!.digest, image.manifestDescriptor.digest, 'it is the manifest that bale itself would make')
})

test('layers that are links inside the archive are followed: symbolic, absolute, hard (podman, old docker)', async () => {
  const links = [
    ...legacy(image).filter(({ name }) => name !== 'bb/layer.tar' && name !== 'cc/layer.tar'),
    file('store/second.tar', tarOf(image, 1)),
    file('third.tar', tarOf(image, 2)),
    link('bb/layer.tar', '../store/other.tar'),
    link('store/other.tar', '/store/second.tar'),
    link('cc/layer.tar', 'third.tar', 'hardlink'),
    manifestJson(layerPaths),
  ]
  const [found] = await contents(await written(links))
  assert.deepEqual(
    found!.layers,
    image.tars.map((tar) => Buffer.from(tar)),
  )
})

test('compressed layers in a docker archive are taken as they are', async () => {
  const wraps = [gzipSync, zstdCompressSync, (tar: Uint8Array) => Buffer.from(tar)]
  const entries = image.tars.map((tar, index) => file(`layer-${index}`, wraps[index]!(tar)))
  const path = await written([
    file('config.json', image.configBytes),
    ...entries,
    manifestJson(
      entries.map((one) => one.name),
      null,
      'config.json',
    ),
  ])
  const [found] = await contents(path)
  assert.deepEqual(found!.names, [])
  assert.equal(found!.id, image.configDescriptor.digest)
  assert.deepEqual(
    found!.manifest.layers.map((layer: { mediaType: string }) => layer.mediaType.split('.').at(-1)),
    ['tar+gzip', 'tar+zstd', 'tar'],
  )
  assert.equal(found!.manifest.layers[0].digest, digestOf(gzipSync(image.tars[0]!)))
})

test('several images with several names share layers', async () => {
  const small = makeImage({
    config: { architecture: 'amd64', os: 'linux' },
    layers: [
      {
        diffId: image.config.rootfs.diff_ids[0]!,
        digest: image.config.rootfs.diff_ids[0]!,
        size: image.tars[0]!.byteLength,
        mediaType: image.manifest.layers[0]!.mediaType,
      },
    ],
  })
  const path = await written([
    ...legacy(image),
    file('small.json', small.configBytes),
    json('manifest.json', [
      { Config: configName, RepoTags: ['sample:1.0', 'localhost:5000/x/y:2', 'sample:1.0'], Layers: layerPaths },
      { Config: 'small.json', RepoTags: ['small'], Layers: ['aa/layer.tar'] },
    ]),
  ])
  const found = await contents(path)
  assert.deepEqual(
    found.map(({ names, id }) => [names, id]),
    [
      [['docker.io/library/sample:1.0', 'localhost:5000/x/y:2'], image.configDescriptor.digest],
      [['docker.io/library/small:latest'], small.configDescriptor.digest],
    ],
  )
  await using archive = await openArchive(path)
  assert.equal((await archive.resolve('small')).descriptor.digest, found[1]!.digest)
  await assert.rejects(archive.resolve(undefined), { code: 'MANIFEST_NOT_FOUND' })
  await assert.rejects(
    archive.resolve('other'),
    (error) => isBaleError(error, 'MANIFEST_NOT_FOUND') && /sample:1.0/.test(error.hint!),
  )
})

/** Blobs and documents of an OCI archive. */
const oci = (one: RandomImage, annotations: Record<string, string> = {}): Entry[] => [
  json('oci-layout', { imageLayoutVersion: '1.0.0' }),
  json('index.json', { schemaVersion: 2, manifests: [{ ...one.manifestDescriptor, annotations }] }),
  file(`blobs/sha256/${hexOf(one.manifestDescriptor.digest)}`, one.manifestBytes),
  ...[...one.blobs].map(([digest, bytes]) => file(`blobs/sha256/${hexOf(digest)}`, bytes)),
]

test('names of an OCI archive: containerd, podman, skopeo, a lone tag, none', async () => {
  const zipped = await randomImage()
  const table: [Record<string, string>, string[]][] = [
    [
      { 'io.containerd.image.name': 'docker.io/library/a:1', 'org.opencontainers.image.ref.name': '1' },
      ['docker.io/library/a:1'],
    ],
    [{ 'org.opencontainers.image.ref.name': 'localhost/b:2' }, ['localhost/b:2']],
    [{ 'org.opencontainers.image.ref.name': 'busybox:3' }, ['docker.io/library/busybox:3']],
    [{ 'org.opencontainers.image.ref.name': 'latest' }, []],
    [{}, []],
  ]
  for (const [annotations, names] of table) {
    const [found] = await contents(await written(oci(zipped, annotations)))
    assert.deepEqual([found!.names, found!.digest], [names, zipped.manifestDescriptor.digest])
  }
})

test('an archive with both kinds of documents is read by its OCI index, unless the images it lists are missing', async () => {
  const zipped = await randomImage()
  const both = [...oci(zipped), ...legacy(image), manifestJson(layerPaths)]
  assert.equal((await contents(await written(both)))[0]!.digest, zipped.manifestDescriptor.digest)
  const dangling = both.filter(({ name }) => !name.startsWith('blobs/'))
  assert.equal((await contents(await written(dangling)))[0]!.id, image.configDescriptor.digest)
  const nothing = oci(zipped).filter(({ name }) => !name.startsWith('blobs/'))
  await assert.rejects(contents(await written(nothing)), { code: 'INVALID_ARCHIVE' })
})

test('an index with one of its platforms missing gives the other, and names what lacks', async () => {
  const there = await randomImage({ platform: { os: 'linux', architecture: 'amd64' } })
  const lacking = await randomImage({ platform: { os: 'linux', architecture: 'arm64' } })
  const index = makeIndex([there, lacking].map((one) => ({ ...one.manifestDescriptor, platform: one.platform })))
  const entries = [
    ...oci(there).filter(({ name }) => name !== 'index.json'),
    json('index.json', { schemaVersion: 2, manifests: [index.descriptor] }),
    file(`blobs/sha256/${hexOf(index.descriptor.digest)}`, index.bytes),
  ]
  await using archive = await openArchive(await written(entries))
  const copied = await copyImage(archive, createMemoryPlace(), { platform: there.platform })
  assert.equal(copied.manifestDescriptor!.digest, there.manifestDescriptor.digest)
  await assert.rejects(copyImage(archive, createMemoryPlace(), { platform: lacking.platform }), {
    code: 'MANIFEST_NOT_FOUND',
  })
})

test('an archive is unwrapped whatever it is compressed with, from a file and from a stream, and leaves no copy', async () => {
  const wraps: [string, (tar: Buffer) => Uint8Array][] = [
    ['none', (tar) => tar],
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['xz', (tar) => execFileSync('/usr/bin/xz', ['-c'], { input: tar })],
    ['bzip2', (tar) => execFileSync('/usr/bin/bzip2', ['-c'], { input: tar })],
  ]
  const before = readdirSync(directory).length
  for (const [name, wrap] of wraps) {
    if (['xz', 'bzip2'].includes(name) && !existsSync(`/usr/bin/${name}`)) continue
    const path = await written([...legacy(image), manifestJson(layerPaths)], wrap)
    assert.equal((await contents(path))[0]!.id, image.configDescriptor.digest, name)
    const bytes = wrap(await makeTar([...legacy(image), manifestJson(layerPaths)]))
    assert.equal((await contents(pieces(bytes)))[0]!.id, image.configDescriptor.digest, `${name} as stream`)
    rmSync(path)
  }
  assert.equal(readdirSync(directory).length, before)
})

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 5000) yield bytes.subarray(at, at + 5000)
}

test('a blob can be read by others from the file, without the archive', async () => {
  const path = await written([...legacy(image), manifestJson(layerPaths)])
  await using archive = await openArchive(path)
  const place = await archive.localFile(image.manifest.layers[1]!)
  assert.equal(place!.path, path)
  const bytes = execFileSync('dd', [
    `if=${path}`,
    `skip=${place!.offset}`,
    `count=${place!.size}`,
    'iflag=skip_bytes,count_bytes',
    'status=none',
  ])
  assert.ok(bytes.equals(tarOf(image, 1)))
})

const oddNames: [string, string][] = [
  ['with ../', '../../x:1'],
  ['with an escape sequence', 'a\u001b[2J:1'],
  ['by digest', `a@${image.configDescriptor.digest}`],
  ['that is a digest', image.configDescriptor.digest],
  ['that is empty', ''],
  ['in capitals', 'Team/Web:1'],
]

for (const [what, name] of oddNames)
  test(`a name ${what} names nothing, and keeps neither the image nor its other names away (T27)`, async () => {
    const docker = [...legacy(image), manifestJson(layerPaths, [name, 'good:1'])]
    const inIndex = oci(image, { 'io.containerd.image.name': name })
    for (const entries of name === '' ? [docker] : [docker, inIndex]) {
      await using archive = await openArchive(await written(entries), { temporary: directory })
      const [found, ...others] = archive.images()
      assert.equal(others.length, 0)
      assert.deepEqual(found!.names, entries === docker ? ['docker.io/library/good:1'] : [])
      assert.deepEqual(found!.oddNames, [name])
    }
    const [copied] = await contents(await written(docker))
    assert.equal(copied!.id, image.configDescriptor.digest)
  })

test('layers in xz and bzip2 become plain ones, shared by images, read from any offset', async () => {
  const packed = (tool: string, index: number) => execFileSync(tool, ['-c'], { input: tarOf(image, index) })
  const path = await written([
    file('config.json', image.configBytes),
    file('a', packed('xz', 0)),
    file('b', packed('bzip2', 1)),
    file('c', tarOf(image, 2)),
    manifestJson(['a', 'b', 'c'], ['x:1'], 'config.json'),
  ])
  const [found] = await contents(path)
  assert.equal(found!.digest, image.manifestDescriptor.digest, 'the manifest of the same image with plain layers')
  assert.deepEqual(
    found!.layers,
    image.tars.map((tar) => Buffer.from(tar)),
  )
  await using archive = await openArchive(path, { temporary: directory })
  const first = image.manifest.layers[0]!
  assert.equal(await archive.localFile(first), undefined, 'no file of the archive has these bytes')
  const rest = Buffer.concat(await Array.fromAsync(await archive.blob(first, { offset: 700 })))
  assert.ok(rest.equals(tarOf(image, 0).subarray(700)))
})

test('a missing layer file is taken from the target, and from nowhere else', async () => {
  const without = [...legacy(image).filter(({ name }) => name !== 'bb/layer.tar'), manifestJson(layerPaths)]
  const path = await written(without)
  await assert.rejects(contents(path), { code: 'INVALID_ARCHIVE', message: /bb\/layer\.tar/ })
  const knownLayer = async (diffId: string) =>
    diffId === image.config.rootfs.diff_ids[1] ? image.tars[1]!.byteLength : undefined
  await using archive = await openArchive(path, { temporary: directory, knownLayer })
  assert.equal(archive.images()[0]!.descriptor.digest, image.manifestDescriptor.digest)
  assert.deepEqual(
    image.manifest.layers.map((layer) => archive.holds(layer)),
    [true, false, true],
  )
})

const refusals: [string, Entry[], RegExp][] = [
  [
    'T27 a config outside of the archive',
    [...legacy(image), manifestJson(layerPaths, ['a:1'], '../../etc/passwd')],
    /leads out/,
  ],
  [
    'T27 a layer outside of the archive',
    [...legacy(image), manifestJson(['aa/layer.tar', '../../x', 'cc/layer.tar'])],
    /leads out/,
  ],
  [
    'T27 an absolute layer',
    [...legacy(image), manifestJson(['aa/layer.tar', '/etc/passwd', 'cc/layer.tar'])],
    /not in the archive/,
  ],
  [
    'T27 a layer that is a link to the host',
    [
      ...legacy(image).filter(({ name }) => name !== 'bb/layer.tar'),
      link('bb/layer.tar', '/etc/passwd'),
      manifestJson(layerPaths),
    ],
    /not in the archive/,
  ],
  [
    'T27 a layer that is a link out of the archive',
    [
      ...legacy(image).filter(({ name }) => name !== 'bb/layer.tar'),
      link('bb/layer.tar', '../../../etc/passwd'),
      manifestJson(layerPaths),
    ],
    /leads out/,
  ],
  [
    'T27 a chain of links without end',
    [
      ...legacy(image).filter(({ name }) => name !== 'bb/layer.tar'),
      link('bb/layer.tar', 'other'),
      link('bb/other', 'layer.tar'),
      manifestJson(layerPaths),
    ],
    /links/,
  ],
  [
    'T27 a layer that is a directory',
    [...legacy(image), manifestJson(['aa', 'bb/layer.tar', 'cc/layer.tar'])],
    /not a plain file/,
  ],
  ['T27 an entry with .. in its name', [file('../x', 'a'), ...legacy(image), manifestJson(layerPaths)], /\.\./],
  [
    'T28 an index that is a link to the host',
    [link('index.json', '/etc/passwd')],
    /neither manifest.json nor index.json/,
  ],
  [
    'M05 more layers than the config tells',
    [...legacy(image), manifestJson([...layerPaths, 'aa/layer.tar'])],
    /4 layers, the image config 3/,
  ],
  [
    'M05 fewer layers than the config tells',
    [...legacy(image), manifestJson(['aa/layer.tar'])],
    /1 layers, the image config 3/,
  ],
  [
    'M03 manifest.json with a key twice',
    [...legacy(image), file('manifest.json', '[{"Config":"a","Config":"b","Layers":[]}]')],
    /twice/,
  ],
  ['manifest.json that is no list', [json('manifest.json', { Config: 'x' })], /not a list/],
  [
    'manifest.json with layers that are no texts',
    [...legacy(image), json('manifest.json', [{ Config: configName, Layers: [1] }])],
    /right kind/,
  ],
  ['manifest.json that is no JSON', [file('manifest.json', 'garbage')], /not JSON/],
  ['a config that is none', [file('c', '{}'), manifestJson([], ['a:1'], 'c')], /rootfs/],
  ['M02 an index.json that is a manifest', [json('index.json', image.manifest)], /index/],
  ['an archive of docker before 1.10', [json('repositories', {}), file('aa/layer.tar', 'x')], /before 1\.10/],
  ['a root file system', [file('etc/passwd', 'root')], /neither manifest.json nor index.json/],
]

for (const [name, entries, message] of refusals)
  test(`refused with INVALID_ARCHIVE and what to do: ${name}`, async () => {
    await assert.rejects(
      contents(await written(entries)),
      (error) => isBaleError(error, 'INVALID_ARCHIVE') && message.test(error.message) && error.hint !== undefined,
    )
  })

test('garbage, an empty file, a truncated archive and a truncated gzip are refused, a missing file is named', async () => {
  const whole = await makeTar([...legacy(image), manifestJson(layerPaths)])
  for (const bytes of [
    Buffer.alloc(4096, 'garbage '),
    whole.subarray(0, 5000),
    whole.subarray(0, whole.length - 4000),
  ]) {
    const path = join(directory, 'bad.tar')
    writeFileSync(path, bytes)
    await assert.rejects(
      contents(path),
      (error) => isBaleError(error, 'INVALID_ARCHIVE') && error.message.includes(path),
    )
    await assert.rejects(contents(pieces(bytes)), { code: 'INVALID_ARCHIVE' })
  }
  await assert.rejects(contents(pieces(Buffer.alloc(0))), { code: 'INVALID_ARCHIVE' })
  await assert.rejects(contents(pieces(gzipSync(whole).subarray(0, 1000))), { code: 'INVALID_COMPRESSION' })
  await assert.rejects(contents(join(directory, 'nothing.tar')), { code: 'PATH_NOT_FOUND' })
  await assert.rejects(contents(directory), { code: 'INVALID_ARCHIVE' })
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith('archive-') && !name.endsWith('.tar')),
    [],
  )
})

test('an archive truncated in its last layer is distinguished from an incomplete one', async () => {
  const whole = await makeTar([manifestJson(layerPaths), ...legacy(image)])
  const path = join(directory, 'cut.tar')
  writeFileSync(path, whole.subarray(0, whole.length - 3000))
  await assert.rejects(
    contents(path),
    (error) => isBaleError(error, 'INVALID_ARCHIVE') && /truncated/.test(error.message),
  )
  writeFileSync(path, whole.subarray(0, whole.length - 1024))
  assert.equal((await contents(path))[0]!.id, image.configDescriptor.digest, 'only the end blocks lack')
})

test('a layer whose bytes are not those of its diff ID is refused by the copy (M01)', async () => {
  const wrong = legacy(image).map((entry) =>
    entry.name === 'bb/layer.tar' ? file(entry.name, Buffer.from(tarOf(image, 1)).fill(1, 0, 9)) : entry,
  )
  await assert.rejects(contents(await written([...wrong, manifestJson(layerPaths)])), { code: 'DIGEST_MISMATCH' })
})
