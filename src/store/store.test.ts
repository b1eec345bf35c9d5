import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import { BaleError, isBaleError } from '#base'
import { digestOf } from '#blob'
import { gzipEncoder } from '#format/compression'
import { temporaryDirectory } from '#host/file'
import { openIsal } from '#host/isal'
import { copyImage, createMemoryPlace, makeImage, makeIndex, plainLayer, putImage, putIndex, randomImage } from '#image'
import { type Descriptor, type Digest, fullName, imageName, MediaType, parsePlatform, parseReference } from '#spec'
import { type OperatingStore, openOperatingStore } from '../../test/kit/operating-store.ts'
import { tarLayerFormats } from '../../test/kit/tar-layer-formats.ts'
import { imagePlaceContract } from '../image/contract.ts'
import { openStore, type StoreOptions } from './index.ts'

interface TestStore extends AsyncDisposable {
  store: OperatingStore
  path: string
  open(options?: Partial<StoreOptions>): Promise<OperatingStore>
}

async function testStore(): Promise<TestStore> {
  const directory = await temporaryDirectory(tmpdir(), 'bale-store-')
  const opened: OperatingStore[] = []
  const open = async (options: Partial<StoreOptions> = {}) => {
    const root = join(directory.path, 'root')
    const store = await openOperatingStore({
      root,
      run: join(directory.path, 'run'),
      layerFormats: tarLayerFormats,
      workers: 1,
      ...options,
    })
    opened.push(store)
    return store
  }
  return {
    store: await open(),
    path: directory.path,
    open,
    async [Symbol.asyncDispose]() {
      for (const store of opened) await store[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

const named = (text: string) => imageName(parseReference(text))

const stream = async function* (...chunks: Uint8Array[]) {
  yield* chunks
}
const bytesOf = async (tar: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(tar))

/** Files of the store's content directories. */
function contentOf(root: string): string[] {
  const list = (name: string) => readdirSync(join(root, name)).map((file) => `${name}/${file}`)
  return [...list('blobs/sha256'), ...list('layers-v1'), ...list('tmp')]
}

imagePlaceContract(
  'store',
  async () => {
    const made = await testStore()
    return {
      target: made.store,
      openSource: async () => made.store,
      names: ['docker.io/library/one:1', 'localhost:5000/team/two:latest'],
      [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
    }
  },
  { checksDiffIds: true },
)

test('a new store is private and opens again, also beside another', async () => {
  await using made = await testStore()
  assert.equal(statSync(made.store.root).mode & 0o777, 0o700)
  const second = await made.open()
  await second.images.list()
  assert.deepEqual(await made.store.check(), [])
})

test('a store of a newer bale is STORE_VERSION, a file that is no database STORE_DAMAGED', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const options = { root: directory.path, run: join(directory.path, 'run'), layerFormats: tarLayerFormats }
  const database = new DatabaseSync(join(directory.path, 'bale.db'))
  database.exec('PRAGMA user_version = 99')
  database.close()
  await assert.rejects(openStore(options), (error) => isBaleError(error, 'STORE_VERSION'))
  writeFileSync(join(directory.path, 'bale.db'), 'x'.repeat(10_000))
  await assert.rejects(openStore(options), (error) => isBaleError(error, 'STORE_DAMAGED'))
})

test('opening loads no native code and no HTTP client', async () => {
  await using made = await testStore()
  const { execFileSync } = await import('node:child_process')
  const url = new URL('./index.ts', import.meta.url).href
  const formats = new URL('../../test/kit/tar-layer-formats.ts', import.meta.url).href
  const code = `const { openStore } = await import(${JSON.stringify(url)});
    const { tarLayerFormats } = await import(${JSON.stringify(formats)});
    const store = await openStore({ root: ${JSON.stringify(join(made.path, 'other'))}, run: ${JSON.stringify(join(made.path, 'run2'))}, layerFormats: tarLayerFormats });
    await store.images.list(); await store[Symbol.asyncDispose]();
    const loaded = process.report.getReport().sharedObjects.some((name) => name.includes('koffi'));
    console.log(loaded, process.moduleLoadList.some((name) => name.includes('undici')))`
  const output = execFileSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', code], {
    encoding: 'utf8',
  })
  assert.equal(output, 'false false\n')
})

test('a layer made here is stored once, gives its tar back and serves as its own blob', async () => {
  await using made = await testStore()
  const { store } = made
  const tar = Buffer.alloc(3 << 20, 'layer')
  const [one, two] = await Promise.all([store.layers.write(stream(tar)), store.layers.write(stream(tar))])
  assert.equal(one.diffId, digestOf(tar))
  assert.deepEqual(one, two)
  assert.deepEqual(await bytesOf(store.layers.openTar(one.diffId)), tar)
  const descriptor = { mediaType: MediaType.ociLayer, digest: one.diffId, size: tar.length }
  assert.equal(await store.has(descriptor, { diffId: one.diffId }), true)
  assert.deepEqual(await bytesOf(await store.blob(descriptor, { offset: tar.length - 3 })), tar.subarray(-3))
  assert.deepEqual(readdirSync(join(store.root, 'blobs/sha256')), [])
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

test('who writes the layer format himself gets an empty directory; a failure leaves nothing', async () => {
  await using made = await testStore()
  const { store } = made
  const { layerFormat } = await import('../../test/kit/tar-layer-format.ts')
  const record = await store.layers.writeWith((directory) => layerFormat.write(directory, stream(Buffer.from('tar'))))
  assert.equal(record.diffId, digestOf(Buffer.from('tar')))
  await assert.rejects(
    store.layers.writeWith(async (directory) => {
      writeFileSync(join(directory, 'half'), 'x')
      throw new Error('broken off')
    }),
    /broken off/,
  )
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
})

test('a large compressed layer goes through a worker, and its blob stays as it travelled', async () => {
  await using made = await testStore()
  const { store } = made
  const tar = Buffer.from(Array.from({ length: 300_000 }, (_, index) => `${index * 7919}`).join())
  const blob = gzipSync(tar)
  assert.ok(blob.length > 256 << 10)
  const descriptor = { mediaType: MediaType.ociLayerGzip, digest: digestOf(blob), size: blob.length }
  const diffId = digestOf(tar)
  await store.putBlob(descriptor, async () => stream(blob), { diffId })
  assert.deepEqual(await bytesOf(store.layers.openTar(diffId)), tar)
  assert.deepEqual(await bytesOf(await store.blob(descriptor)), blob)
  assert.equal((await store.localFile(descriptor))?.size, blob.length)
  // The layer can be made anew from the blob, without the network.
  const row = new DatabaseSync(join(store.root, 'bale.db'))
  row.exec('DELETE FROM layers')
  row.close()
  await store.putBlob(descriptor, async () => assert.fail('the network is not needed'), { diffId })
  assert.deepEqual(await bytesOf(store.layers.openTar(diffId)), tar)
})

test('a layer is compressed once, at its first push, always to the same bytes', async () => {
  await using made = await testStore()
  const { store } = made
  const tar = Buffer.alloc(100_000, 'compress me ')
  const { diffId } = await store.layers.write(stream(tar))
  const blob = await store.layers.compressed(diffId)
  assert.equal(blob.mediaType, MediaType.ociLayerGzip)
  assert.deepEqual(gunzipSync(await bytesOf(await store.blob(blob))), tar)
  assert.deepEqual(await store.layers.compressed(diffId), blob)
  // Another encoder may make other bytes: which one it was is written beside the blob, and of foreign blobs nothing.
  const encoder = gzipEncoder({ library: await openIsal() })
  const foreign = gzipSync('from elsewhere')
  const descriptor = { mediaType: MediaType.ociLayerGzip, digest: digestOf(foreign), size: foreign.length }
  await store.putBlob(descriptor, async () => stream(foreign), {})
  const database = new DatabaseSync(join(store.root, 'bale.db'))
  const rows = database.prepare('SELECT digest, encoder FROM blobs').all()
  database.close()
  assert.deepEqual(
    new Map(rows.map((row) => [row['digest'], row['encoder']])),
    new Map([
      [blob.digest, encoder],
      [descriptor.digest, null],
    ]),
  )
  await assert.rejects(store.layers.compressed(digestOf('none')), { code: 'BLOB_NOT_FOUND' })
})

test('a long layer is sent while it is compressed; a short one is not', async () => {
  await using made = await testStore()
  const { store } = made
  const long = await store.layers.write(stream(randomBytes(5 << 20)))
  const short = await store.layers.write(stream(randomBytes(3 << 20)))
  const sent: Buffer[] = []
  const named: Descriptor[] = []
  const ahead = {
    async putBlobAhead() {
      return {
        send: async (bytes: AsyncIterable<Uint8Array>) => void sent.push(await bytesOf(bytes)),
        named: (descriptor: Descriptor) => void named.push(descriptor),
        [Symbol.dispose]: () => undefined,
      }
    },
  }
  const blob = await store.layers.compressed(long.diffId, { ahead })
  await store.layers.compressed(short.diffId, { ahead })
  assert.deepEqual([sent.map((bytes) => digestOf(bytes)), named], [[blob.digest], [blob]])
  // Without the right to write nothing is compressed.
  const denied = { putBlobAhead: () => Promise.reject(new BaleError('DENIED', 'no')) }
  const options = { ahead: denied, compression: 'zstd' } as const
  await assert.rejects(store.layers.compressed(long.diffId, options), { code: 'DENIED' })
  assert.deepEqual(
    readdirSync(join(store.root, 'tmp')).filter((name) => name.endsWith('.partial')),
    [],
  )
})

test('a layer has a blob of each compression that was asked for', async () => {
  await using made = await testStore()
  const { store } = made
  const tar = Buffer.alloc(100_000, 'compress me ')
  const { diffId } = await store.layers.write(stream(tar))
  const plain = await store.layers.compressed(diffId, { compression: 'gzip' })
  const blob = await store.layers.compressed(diffId, { compression: 'zstd' })
  assert.equal(blob.mediaType, MediaType.ociLayerZstd)
  assert.deepEqual(zstdDecompressSync(await bytesOf(await store.blob(blob))), tar)
  assert.deepEqual(await store.layers.compressed(diffId, { compression: 'zstd' }), blob)
  assert.notEqual(plain.digest, blob.digest)
  const database = new DatabaseSync(join(store.root, 'bale.db'))
  const row = database.prepare('SELECT encoder FROM blobs WHERE digest = ?').get(blob.digest)
  database.close()
  assert.match(String(row?.['encoder']), /^zstd \d+\.\d+\.\d+ level \d+$/)
})

test('a layer that came compressed goes on as it came, whatever is asked for those that were made here', async () => {
  await using made = await testStore()
  const { store } = made
  for (const [seed, came, asked] of [
    [2, 'gzip', 'zstd'],
    [3, 'zstd', 'gzip'],
  ] as const) {
    const image = await randomImage({ layers: 1, compression: came, seed })
    const source = createMemoryPlace()
    await putImage(source, image, 'x')
    await copyImage(source, store, { name: 'x', targetName: `docker.io/library/${came}:latest` })
    const { mediaType, digest, size } = image.manifest.layers[0]!
    const diffId = image.config.rootfs.diff_ids[0]!
    assert.deepEqual(await store.layers.compressed(diffId, { compression: asked }), { mediaType, digest, size })
    assert.deepEqual(await store.layers.compressed(diffId, { compression: came }), { mediaType, digest, size })
  }
})

test('an interrupted transfer resumes where it stopped; damaged leftovers do no harm', async () => {
  await using made = await testStore()
  const { store } = made
  const tar = Buffer.from(Array.from({ length: 400_000 }, (_, index) => `${index * 7919}`).join())
  const blob = gzipSync(tar)
  const descriptor = { mediaType: MediaType.ociLayerGzip, digest: digestOf(blob), size: blob.length }
  const diffId = digestOf(tar)
  const breaking = async function* (offset: number) {
    yield blob.subarray(offset, blob.length >> 1)
    throw new Error('connection lost')
  }
  await assert.rejects(
    store.putBlob(descriptor, async (offset) => breaking(offset), { diffId }),
    /connection lost/,
  )
  assert.equal(await store.has(descriptor, { diffId }), false)
  const offsets: number[] = []
  const open = async (offset: number) => {
    offsets.push(offset)
    return stream(blob.subarray(offset))
  }
  await store.putBlob(descriptor, open, { diffId })
  assert.deepEqual(offsets, [blob.length >> 1])
  assert.deepEqual(await bytesOf(store.layers.openTar(diffId)), tar)

  const other = gzipSync(tar, { level: 1 })
  const second = { ...descriptor, digest: digestOf(other), size: other.length }
  const partial = join(store.root, 'tmp', `sha256-${second.digest.slice(7)}.partial`)
  writeFileSync(partial, Buffer.alloc(1000))
  await store.putBlob(second, async (offset) => stream(other.subarray(offset)), { diffId })
  assert.deepEqual(await bytesOf(await store.blob(second)), other)
})

test('M01 wrong bytes never become a layer: digest, size, diff ID, tar', async () => {
  await using made = await testStore()
  const { store } = made
  const tar = Buffer.from('a tar, for what this test cares')
  const blob = gzipSync(tar)
  const descriptor = { mediaType: MediaType.ociLayerGzip, digest: digestOf(blob), size: blob.length }
  const put = (bytes: Uint8Array, diffId = digestOf(tar), size = descriptor.size) =>
    store.putBlob({ ...descriptor, size }, async (offset) => stream(bytes.subarray(offset)), { diffId })
  await assert.rejects(put(gzipSync(Buffer.from('an other, of the same length...'))), { code: /MISMATCH/ })
  await assert.rejects(put(blob.subarray(0, -1)), { code: 'SIZE_MISMATCH' })
  await assert.rejects(put(Buffer.concat([blob, blob])), { code: 'SIZE_MISMATCH' })
  await assert.rejects(put(blob, digestOf('other')), { code: 'DIGEST_MISMATCH' })
  const flipped = Buffer.from(blob)
  flipped[12]! ^= 0xff
  await assert.rejects(put(flipped), { code: 'DIGEST_MISMATCH' })
  const bad = Buffer.from('BAD tar')
  await assert.rejects(store.layers.write(stream(bad)), { code: 'INVALID_TAR' })
  assert.deepEqual(contentOf(store.root), [])
  await put(blob)
  assert.deepEqual(await store.check(), [])
})

test('an image is found by every name and ID that docker takes', async () => {
  await using made = await testStore()
  const { store } = made
  const image = await randomImage({ seed: 1 })
  await putImage(store, image, 'docker.io/library/debian:12')
  const id = image.configDescriptor.digest
  const manifest = image.manifestDescriptor.digest
  await store.images.addRepoDigest(parseReference('debian'), manifest)
  const texts = [
    'debian:12',
    'docker.io/library/debian:12',
    `debian@${manifest}`,
    id,
    id.slice(7),
    id.slice(7, 19),
    manifest,
  ]
  for (const text of [...texts, id.slice(0, 20), manifest.slice(7, 30)]) {
    assert.equal((await store.images.resolve(text)).id, id, text)
  }
  const found = await store.images.find('debian:12')
  assert.equal(fullName(found.name!), 'docker.io/library/debian:12')
  assert.deepEqual(found.image.names.map(fullName), ['docker.io/library/debian:12'])
  assert.deepEqual(found.image.repoDigests.map(fullName), [`docker.io/library/debian@${manifest}`])
  assert.deepEqual(Buffer.from(found.image.rawConfig), Buffer.from(image.configBytes))
  assert.ok(found.image.lastTagged! > 0)
  assert.equal(
    found.image.size,
    image.tars.reduce((sum, tar) => sum + tar.length, 0),
  )
  for (const [text, shown] of [
    ['debian', 'debian:latest'],
    ['abcdef', 'abcdef:latest'],
    [digestOf('x'), digestOf('x')],
  ] as const) {
    await assert.rejects(store.images.resolve(text), { code: 'IMAGE_NOT_FOUND', message: `No such image: ${shown}` })
  }
})

test('a prefix that fits two images is AMBIGUOUS_ID', async () => {
  await using made = await testStore()
  const { store } = made
  const seen = new Map<string, string>()
  for (let seed = 0; ; seed++) {
    const image = await randomImage({ seed, layers: 0 })
    await putImage(store, image)
    const first = image.configDescriptor.digest.slice(7, 8)
    if (seen.has(first)) {
      await assert.rejects(store.images.resolve(`sha256:${first}`), { code: 'AMBIGUOUS_ID' })
      return
    }
    seen.set(first, first)
  }
})

test('an index is found by platform, and its name leads to each of its images', async () => {
  await using made = await testStore()
  const { store } = made
  const [amd, arm] = await Promise.all(
    ['linux/amd64', 'linux/arm64'].map((text) => randomImage({ platform: parsePlatform(text) })),
  )
  const index = await putIndex(store, [amd!, arm!], 'docker.io/library/multi:latest')
  const found = await store.images.find('multi', { platform: parsePlatform('linux/arm64') })
  assert.equal(found.image.id, arm!.configDescriptor.digest)
  assert.equal(found.target.digest, index.digest)
  await assert.rejects(store.images.find('multi', { platform: parsePlatform('linux/s390x') }), {
    code: 'NO_MATCHING_PLATFORM',
  })
  assert.deepEqual(
    (await store.images.list()).map((image) => image.names.map(fullName)),
    Array(2).fill(['docker.io/library/multi:latest']),
  )
  const removed = await store.images.remove('multi')
  assert.deepEqual(removed.records[0], { untagged: 'multi:latest' })
  assert.deepEqual(await store.images.list(), [])
  assert.deepEqual(contentOf(store.root), [])
})

test('an image made here gets a manifest at once and can be read as a source', async () => {
  await using made = await testStore()
  const { store } = made
  const layer = await store.layers.write(stream(Buffer.from('tar')))
  const { configBytes, manifestBytes } = makeImage({
    config: { architecture: 'amd64', os: 'linux' },
    layers: [plainLayer(layer.diffId, layer.tarSize)],
  })
  const image = await store.putImage({ config: configBytes, manifest: manifestBytes })
  await store.images.setName(named('made'), image.descriptor)
  const back = createMemoryPlace()
  await copyImage(store, back, { name: 'made', targetName: 'x' })
  assert.ok(await back.has(image.descriptor))
  const elsewhere = makeImage({
    config: { architecture: 'amd64', os: 'linux' },
    layers: [plainLayer(digestOf('no'), 2)],
  })
  await assert.rejects(store.putImage({ config: elsewhere.configBytes, manifest: elsewhere.manifestBytes }), {
    code: 'BLOB_NOT_FOUND',
  })
  assert.equal((await store.images.list()).length, 1)
})

test('moving a tag leaves the old image without a name; prune removes it and what it alone needs', async () => {
  await using made = await testStore()
  const { store } = made
  const [first, second] = await Promise.all([randomImage({ seed: 1 }), randomImage({ seed: 2 })])
  await putImage(store, first, 'docker.io/library/x:latest')
  await putImage(store, second, 'docker.io/library/x:latest')
  const old = await store.images.resolve(first.configDescriptor.digest)
  assert.deepEqual(old.names, [])
  assert.ok(old.lastTagged)
  assert.deepEqual((await store.images.prune({ filter: () => false })).records, [])
  const pruned = await store.images.prune()
  assert.deepEqual(pruned.records[0], { deleted: old.id })
  assert.ok(pruned.freed > 0)
  assert.deepEqual(
    (await store.images.list()).map((image) => image.id),
    [second.configDescriptor.digest],
  )
  assert.equal((await store.layers.list()).length, 2)
  assert.equal((await store.images.prune({ all: true })).records.length > 0, true)
  assert.deepEqual(contentOf(store.root), [])
})

test('what an operation stored stays until it ends: no prune, removal or collection takes it before it has its name', async () => {
  await using made = await testStore()
  const [working, other] = await Promise.all([made.open(), made.open()])
  const store = await openStore({ root: other.root, run: other.run, layerFormats: tarLayerFormats, workers: 1 })
  await using _ = store
  const image = await randomImage({ seed: 7 })
  const id = image.configDescriptor.digest
  const index = makeIndex([image.manifestDescriptor], { mediaType: MediaType.ociIndex })
  const empty = makeIndex([{ ...image.manifestDescriptor, digest: digestOf(Buffer.from('elsewhere')) }])
  const operation = store.operation({ purpose: 'test' })
  await putImage(operation, image, 'a:1')
  await operation.putManifest(index.descriptor, index.bytes)
  await operation.putManifest(empty.descriptor, empty.bytes)
  // Others take its name away, and would prune it.
  assert.deepEqual((await other.images.remove('a:1', { force: true })).records, [{ untagged: 'a:1' }])
  assert.deepEqual((await other.images.prune({ all: true })).records, [])
  await assert.rejects(other.images.remove(id, { force: true }), {
    code: 'CONFLICT',
    message: /\(cannot be forced\) - image is being used by an operation that has not ended$/,
  })
  await other.collect()
  await working.images.setName(named('a:2'), index.descriptor)
  await working.images.setName(named('elsewhere:1'), empty.descriptor)
  await working.images.removeName(named('a:2'))
  await working.images.removeName(named('elsewhere:1'))
  assert.equal((await other.images.get(id))?.id, id)
  await operation[Symbol.asyncDispose]()
  assert.deepEqual((await other.images.prune()).records.slice(0, 1), [{ deleted: id }])
  await other.collect()
  await assert.rejects(working.images.setName(named('late:1'), empty.descriptor), { code: 'MANIFEST_NOT_FOUND' })
  assert.deepEqual(contentOf(store.root), [])
})

test('an operation whose process was killed keeps nothing from removal', async () => {
  await using made = await testStore()
  const { store } = made
  const image = await randomImage({ seed: 8 })
  await putImage(store, image, 'a:1')
  using database = new DatabaseSync(join(store.root, 'bale.db'))
  const gone = "INSERT INTO leases SELECT 'ffff', 999999999, '1', boot, namespace, 'test', 0 FROM leases LIMIT 1"
  const held = store.hold(image.manifestDescriptor)
  assert.equal(await held, true)
  database.exec(gone)
  const pin = database.prepare("INSERT INTO pins VALUES ('lease:ffff', 'document', ?, 0)")
  pin.run(image.manifestDescriptor.digest)
  database.exec("DELETE FROM pins WHERE owner LIKE 'lease:%' AND owner <> 'lease:ffff'")
  const { records } = await store.images.remove('a:1')
  assert.deepEqual(records[1], { deleted: image.configDescriptor.digest })
})

test('rmi follows docker: untag first, conflicts in its words, force', async () => {
  await using made = await testStore()
  const { store } = made
  const image = await randomImage({ seed: 3 })
  const id = image.configDescriptor.digest
  const short = id.slice(7, 19)
  await putImage(store, image, 'docker.io/library/a:1')
  await store.images.setName(named('b:1'), image.manifestDescriptor)
  await store.images.addRepoDigest(parseReference('a'), image.manifestDescriptor.digest)
  await assert.rejects(store.images.remove(short), {
    code: 'CONFLICT',
    message: `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
  })
  assert.deepEqual((await store.images.remove('a:1')).records, [
    { untagged: 'a:1' },
    { untagged: `a@${image.manifestDescriptor.digest}` },
  ])
  const layers = image.config.rootfs.diff_ids
  const container = { id: 'c'.repeat(64), name: 'web', imageId: id, state: 'exited', created: 1, layers, document: {} }
  await store.containers.add(container)
  await assert.rejects(store.images.remove('b:1'), {
    code: 'CONFLICT',
    message: `conflict: unable to remove repository reference "b:1" (must force) - container cccccccccccc is using its referenced image ${short}`,
  })
  await assert.rejects(store.images.remove(id), {
    message: /\(must be forced\) - image is being used by stopped container/,
  })
  await store.containers.update(container.id, (record) => ({ ...record, state: 'running' }))
  await assert.rejects(store.images.remove(id, { force: true }), {
    message: /\(cannot be forced\) - image is being used by running container cccccccccccc$/,
  })
  await store.containers.update(container.id, (record) => ({ ...record, state: 'exited' }))
  const { records } = await store.images.remove('b:1', { force: true })
  assert.deepEqual(records.slice(0, 2), [{ untagged: 'b:1' }, { deleted: id }])
  assert.equal(records.length, 2 + layers.length)
  // The container still has its layers; they go with it.
  assert.equal((await store.layers.list()).length, layers.length)
  assert.deepEqual(readdirSync(join(store.root, 'blobs/sha256')), [])
  assert.equal(await store.containers.remove(container.id), true)
  assert.deepEqual(contentOf(store.root), [])
})

test('a layer shared by two images stays until the second goes; usage tells shared from unique', async () => {
  await using made = await testStore()
  const { store } = made
  const base = await store.layers.write(stream(Buffer.alloc(1000, 'b')))
  const own = await store.layers.write(stream(Buffer.alloc(500, 'o')))
  for (const [name, layers] of [
    ['one', [base]],
    ['two', [base, own]],
  ] as const) {
    const { configBytes, manifestBytes } = makeImage({
      config: { architecture: 'amd64', os: 'linux', author: name },
      layers: layers.map((layer) => plainLayer(layer.diffId, layer.tarSize)),
    })
    const image = await store.putImage({ config: configBytes, manifest: manifestBytes })
    await store.images.setName(named(name), image.descriptor)
  }
  mkdirSync(store.volumes.directory('data'), { recursive: true })
  writeFileSync(join(store.volumes.directory('data'), 'file'), 'x'.repeat(77))
  await store.volumes.add({ name: 'data', created: 1, document: {} })
  const usage = await store.diskUsage()
  const byName = Object.fromEntries(
    usage.images.map(({ image, shared, unique }) => [fullName(image.names[0]!), [shared, unique]]),
  )
  assert.deepEqual(byName, { 'docker.io/library/one:latest': [1000, 0], 'docker.io/library/two:latest': [1000, 500] })
  assert.equal(usage.layersSize, 1500)
  assert.equal(usage.imagesReclaimable, 1500)
  assert.equal(usage.volumes[0]!.size, 77)
  assert.equal((await store.images.remove('one')).freed, 0)
  assert.equal((await store.layers.list()).length, 2)
  assert.equal((await store.images.remove('two')).freed, 1500)
  assert.deepEqual(contentOf(store.root), [])
})

test('what an operation takes in is collected by no store while it runs; afterwards unneeded content is', async () => {
  await using made = await testStore()
  const [store, other] = await Promise.all([made.open(), made.open()])
  const first = store.operation({ purpose: 'test' })
  const { diffId } = await first.layers.write(stream(Buffer.from('tar')))
  for (const one of [store, other]) assert.deepEqual((await one.collect()).layers, [])
  const second = other.operation({ purpose: 'test' })
  await second.pin('layer', diffId)
  await first[Symbol.asyncDispose]()
  for (const one of [store, other]) assert.deepEqual((await one.collect()).layers, [])
  await second[Symbol.asyncDispose]()
  const collected = await store.collect()
  assert.deepEqual(collected.layers, [diffId])
  assert.equal(collected.freed, 3)
  assert.deepEqual(contentOf(store.root), [])
})

test('an operation that broke off leaves what the next collection of the same open store removes', async () => {
  await using made = await testStore()
  const { store } = made
  const image = await randomImage({ layers: 2, compression: 'none' })
  const half = async () => {
    await using operation = store.operation({ purpose: 'test' })
    const source = createMemoryPlace()
    await putImage(source, image, 'x')
    const last = image.manifest.layers[1]!.digest
    const broken: typeof source = {
      ...source,
      blob: async (descriptor, options) => {
        if (descriptor.digest === last) throw new Error('connection lost')
        return source.blob(descriptor, options)
      },
    }
    await copyImage(broken, operation, { name: 'x', targetName: 'docker.io/library/x:latest', concurrency: 1 })
  }
  await assert.rejects(half(), /connection lost/)
  assert.equal((await store.layers.list()).length, 1)
  assert.deepEqual((await store.collect()).layers, [image.config.rootfs.diff_ids[0]])
  assert.deepEqual(contentOf(store.root), [])
})

test('closing a store ends the operations that go on, and ending them afterwards does no harm', async () => {
  await using made = await testStore()
  const store = await made.open()
  const operation = store.operation({ purpose: 'test' })
  const { diffId } = await operation.layers.write(stream(Buffer.from('tar')))
  await store[Symbol.asyncDispose]()
  await operation[Symbol.asyncDispose]()
  assert.deepEqual((await made.store.collect()).layers, [diffId])
})

test('who asks whether something is here pins nothing; who holds it keeps it from collection', async () => {
  await using made = await testStore()
  const [asking, holding] = await Promise.all([made.open(), made.open()])
  const layers = await Promise.all(['one', 'two'].map((text) => made.store.layers.write(stream(Buffer.from(text)))))
  const [asked, held] = layers.map(({ diffId }) => ({ mediaType: MediaType.ociLayer, digest: diffId, size: 3 }))
  assert.equal(await asking.has(asked!, { diffId: asked!.digest }), true)
  assert.equal(await holding.hold(held!, { diffId: held!.digest }), true)
  await made.store[Symbol.asyncDispose]()
  assert.deepEqual((await holding.collect()).layers, [asked!.digest])
  assert.equal(await holding.hold(asked!, { diffId: asked!.digest }), false)
  await holding[Symbol.asyncDispose]()
  assert.deepEqual((await asking.collect()).layers, [held!.digest])
})

test('damage is found, named and never used; a new pull heals it', async () => {
  await using made = await testStore()
  const { store } = made
  const [image, healthy] = await Promise.all([randomImage({ seed: 4 }), randomImage({ seed: 5 })])
  await putImage(store, image, 'docker.io/library/broken:latest')
  await putImage(store, healthy, 'docker.io/library/healthy:latest')
  const [first, second] = image.config.rootfs.diff_ids as [Digest, Digest]
  const directory = (await store.layers.get(first))!.directory
  writeFileSync(join(directory, 'layer.erofs'), 'damage')
  writeFileSync(join(store.root, 'layers-v1', 'f'.repeat(64)), '')
  const findings = await store.check()
  assert.deepEqual(
    findings.map(({ kind, images }) => [kind, ...images]),
    [['layer', 'docker.io/library/broken:latest'], ['leftover']],
  )
  const restarted = await made.open({ run: join(made.path, 'after-reboot') })
  await assert.rejects(restarted.layers.ensureVerified(first), { code: 'STORE_DAMAGED' })
  await restarted.layers.ensureVerified(second)
  assert.equal((await store.images.list()).length, 2)
  assert.equal(await store.has(image.manifestDescriptor), false)
  const from = createMemoryPlace()
  await putImage(from, image, 'x')
  const copied = await copyImage(from, store, { name: 'x', targetName: 'broken' })
  assert.equal(copied.unchanged, false)
  await restarted.layers.ensureVerified(first)
  const repaired = await store.check({ repair: true })
  assert.deepEqual(
    repaired.map(({ kind, repaired }) => [kind, repaired]),
    [['leftover', true]],
  )
  assert.deepEqual(await store.check(), [])
})

test('repair removes what is damaged, and the check then tells what is missing', async () => {
  await using made = await testStore()
  const { store } = made
  const image = await randomImage({ seed: 6, layers: 1 })
  await putImage(store, image, 'docker.io/library/x:latest')
  const blob = (await store.localFile(image.manifest.layers[0]!))!.path
  const { rmSync } = await import('node:fs')
  rmSync(blob)
  assert.deepEqual(
    (await store.check({ quick: true })).map(({ problem }) => problem),
    ['its file is missing or has the wrong size'],
  )
  assert.equal((await store.check({ repair: true }))[0]!.repaired, true)
  assert.deepEqual(
    (await store.check()).map(({ kind, problem }) => [kind, problem]),
    [['blob', 'is missing']],
  )
  await putImage(store, image)
  assert.deepEqual(await store.check(), [])
})
