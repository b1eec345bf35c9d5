import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, test } from 'node:test'
import { isBaleError } from '#base'
import { copyImage, createMemoryPlace, putImage, putIndex, type RandomImage, randomImage } from '#image'
import { hexOf, parsePlatform } from '#spec'
import { collect, scanTar } from '../../../test/kit/scanned-tar.ts'
import { until } from '../../../test/kit/until.ts'
import { type ArchiveTargetOptions, createArchiveTarget } from './archive-target.ts'
import { openArchive } from './open-archive.ts'

const directory = mkdtempSync(join(tmpdir(), 'bale-save-'))
after(() => rmSync(directory, { recursive: true, force: true }))

type Write = (target: Awaited<ReturnType<typeof createArchiveTarget>>) => Promise<unknown>

async function saved(write: Write, options?: ArchiveTargetOptions): Promise<Buffer> {
  const stream = new PassThrough({ highWaterMark: 1000 })
  const [bytes] = await Promise.all([
    collect(stream),
    (async () => {
      await using target = await createArchiveTarget(stream, options)
      await write(target)
      await target.finish()
      stream.end()
    })(),
  ])
  return bytes
}

function documents(tar: Buffer): Map<string, unknown> {
  const { entries } = scanTar(tar)
  return new Map(
    entries
      .filter(({ entry }) => entry.type === 'file' && !entry.name.startsWith('blobs/'))
      .map(({ entry, data }) => [entry.name, JSON.parse(data.toString())]),
  )
}

const fillWith =
  (image: RandomImage, ...names: string[]): Write =>
  async (target) => {
    await putImage(target, image)
    for (const name of names)
      await target.tag(name, { descriptor: image.manifestDescriptor, bytes: image.manifestBytes })
  }

test('the same images give the same bytes, to a file and to a stream, and nothing of the machine is in them', async () => {
  const image = await randomImage({ layers: 4 })
  const source = createMemoryPlace()
  await putImage(source, image, 'x')
  const write: Write = (target) =>
    copyImage(source, target, { name: 'x', targetName: 'docker.io/library/a:1', concurrency: 3 })
  const first = await saved(write)
  assert.ok(first.equals(await saved(write)))
  const path = join(directory, 'same.tar')
  await using target = await createArchiveTarget(path)
  await write(target)
  await target.finish()
  assert.ok(first.equals(readFileSync(path)))
  for (const { entry } of scanTar(first).entries)
    assert.deepEqual([entry.uid, entry.gid, entry.mtime, entry.userName], [0, 0, 0, ''])
})

test('docker’s and OCI’s documents list the same images', async () => {
  const image = await randomImage()
  const listed = documents(await saved(fillWith(image, 'docker.io/library/a:1', 'localhost:5000/b/c:latest')))
  const { config, layers } = image.manifest
  const path = ({ digest }: { digest: string }) => `blobs/${digest.replace(':', '/')}`
  assert.deepEqual(listed.get('manifest.json'), [
    {
      Config: path(config),
      RepoTags: ['a:1', 'localhost:5000/b/c:latest'],
      Layers: layers.map(path),
    },
  ])
  const uppermost = hexOf(layers.at(-1)!.digest)
  assert.deepEqual(listed.get('repositories'), { a: { '1': uppermost }, 'localhost:5000/b/c': { latest: uppermost } })
  assert.deepEqual(listed.get('oci-layout'), { imageLayoutVersion: '1.0.0' })
  const annotations = (name: string, tag: string) => ({
    ...image.manifestDescriptor,
    annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': tag },
  })
  assert.deepEqual((listed.get('index.json') as { manifests: unknown }).manifests, [
    annotations('docker.io/library/a:1', '1'),
    annotations('localhost:5000/b/c:latest', 'latest'),
  ])
})

test('an image saved by ID has no name in any document', async () => {
  const image = await randomImage()
  const listed = documents(await saved(fillWith(image)))
  assert.equal((listed.get('manifest.json') as { RepoTags: unknown }[])[0]!.RepoTags, null)
  assert.deepEqual((listed.get('index.json') as { manifests: unknown }).manifests, [image.manifestDescriptor])
  assert.equal(listed.has('repositories'), false)
})

test('the pure OCI form has no documents of docker', async () => {
  const listed = documents(await saved(fillWith(await randomImage(), 'a:1'), { format: 'oci' }))
  assert.deepEqual([...listed.keys()], ['index.json', 'oci-layout'])
})

test('layers that several images share are written once', async () => {
  const image = await randomImage()
  const { entries } = scanTar(
    await saved(async (target) => {
      await putImage(target, image, 'a:1')
      await putImage(target, image, 'b:1')
    }),
  )
  const names = entries.map(({ entry }) => entry.name)
  assert.equal(new Set(names).size, names.length)
})

test('an index is saved whole; docker’s list has the wanted platform, else the first', async () => {
  const images = await Promise.all(
    ['linux/arm64', 'linux/amd64'].map((one) => randomImage({ platform: parsePlatform(one) })),
  )
  for (const [platform, index] of [
    ['linux/amd64', 1],
    ['linux/arm64', 0],
    ['linux/s390x', 0],
  ] as const) {
    const tar = await saved((target) => putIndex(target, images, 'multi:1'), { platform: parsePlatform(platform) })
    const [listed] = documents(tar).get('manifest.json') as { Config: string }[]
    assert.ok(listed!.Config.endsWith(hexOf(images[index]!.configDescriptor.digest)), platform)
    assert.equal((documents(tar).get('index.json') as { manifests: unknown[] }).manifests.length, 1)
  }
})

test('a file appears only with finish, keeps what was there until then, and a link stays a link', async () => {
  const path = join(directory, 'target.tar')
  const alias = join(directory, 'alias.tar')
  writeFileSync(path, 'old')
  symlinkSync(path, alias)
  const image = await randomImage()
  {
    await using target = await createArchiveTarget(alias)
    await putImage(target, image, 'a:1')
    assert.equal(readFileSync(path, 'utf8'), 'old')
  }
  assert.equal(readFileSync(path, 'utf8'), 'old', 'given up')
  {
    await using target = await createArchiveTarget(alias)
    await putImage(target, image, 'a:1')
    await target.finish()
  }
  assert.ok(lstatSync(alias).isSymbolicLink())
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await using archive = await openArchive(alias)
  assert.deepEqual(archive.images()[0]!.names, ['docker.io/library/a:1'])
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith('.')),
    [],
  )
})

test('a directory is refused, a device is written to', async () => {
  await assert.rejects(createArchiveTarget(directory), { code: 'INVALID_ARGUMENT' })
  await using target = await createArchiveTarget('/dev/null')
  await putImage(target, await randomImage(), 'a:1')
  await target.finish()
})

test('a save to a stream ends with an error when the reader closes it', async () => {
  const stream = new PassThrough({ highWaterMark: 10 })
  const target = await createArchiveTarget(stream)
  const saved = assert.rejects(putImage(target, await randomImage(), 'a:1'), (error) => isBaleError(error, 'ABORTED'))
  await until('the save waits for the reader', () => stream.writableNeedDrain)
  stream.destroy()
  await saved
  await assert.rejects(target.finish(), (error) => isBaleError(error, 'ABORTED'))
})

test('a file forgets a layer that failed: its bytes are those of an archive that never met it', async () => {
  const image = await randomImage()
  const large = await randomImage({ seed: 7, fileSize: 300_000, compression: 'none' })
  const path = join(directory, 'recovered.tar')
  await using target = await createArchiveTarget(path)
  await putImage(target, image, 'a:1')
  const layer = large.manifest.layers[0]!
  const broken = async () =>
    (async function* () {
      yield large.blobs.get(layer.digest)!.subarray(1)
    })()
  await assert.rejects(target.putBlob(layer, broken), { code: 'SIZE_MISMATCH' })
  await target.finish()
  assert.ok(readFileSync(path).equals(await saved(fillWith(image, 'a:1'))))
})

test('a stream with a broken layer in it is never finished as if it were whole', async () => {
  const image = await randomImage()
  const stream = new PassThrough()
  stream.resume()
  await using target = await createArchiveTarget(stream)
  const layer = image.manifest.layers[0]!
  const wrong = async () =>
    (async function* () {
      yield Buffer.alloc(layer.size)
    })()
  await assert.rejects(target.putBlob(layer, wrong), { code: 'DIGEST_MISMATCH' })
  await assert.rejects(target.finish(), { code: 'DIGEST_MISMATCH' })
})

test('GNU tar and the documents agree that the archive is whole', async () => {
  const tar = await saved(fillWith(await randomImage(), 'a:1'))
  const listed = execFileSync('tar', ['-tf', '-'], { input: tar }).toString().trim().split('\n')
  assert.deepEqual(listed.slice(0, 2), ['blobs/', 'blobs/sha256/'])
  assert.deepEqual(listed.slice(-4), ['index.json', 'manifest.json', 'oci-layout', 'repositories'])
})

test('an archive in a directory that is not there is refused, naming the directory', async () => {
  const path = join(directory, 'none/x.tar')
  await assert.rejects(createArchiveTarget(path, { format: 'docker' }), {
    code: 'INVALID_ARGUMENT',
    message: `invalid output path: directory "${directory}/none" does not exist`,
  })
})
