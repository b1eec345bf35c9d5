import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isBaleError } from '#base'
import { copyImage, createMemoryPlace, putImage, randomImage } from '#image'
import { hexOf } from '#spec'
import { openLayout } from './layout-source.ts'
import { createLayoutTarget } from './layout-target.ts'

const directory = mkdtempSync(join(tmpdir(), 'bale-layout-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const image = await randomImage({ layers: 2 })
const layerPath = (root: string) => join(root, 'blobs/sha256', hexOf(image.manifest.layers[0]!.digest))

async function layoutWithImage(name: string): Promise<string> {
  const root = join(directory, name)
  await putImage(await createLayoutTarget(root), image, 'v1')
  return root
}

const refused = (work: Promise<unknown>, message: RegExp) =>
  assert.rejects(work, (error) => isBaleError(error, 'INVALID_ARCHIVE') && message.test(error.message))

async function pulled(root: string) {
  const place = createMemoryPlace()
  await copyImage(await openLayout(root), place, { name: 'v1' })
  return place
}

test('T28 links in a layout are not followed, wherever they stand', async () => {
  const outside = join(directory, 'outside')
  writeFileSync(outside, 'secret of the host')
  const blob = await layoutWithImage('blob-link')
  renameSync(layerPath(blob), join(directory, 'moved-blob'))
  symlinkSync(join(directory, 'moved-blob'), layerPath(blob))
  await refused(pulled(blob), /is a link/)
  await assert.rejects((await openLayout(blob)).localFile(image.manifest.layers[0]!), { code: 'INVALID_ARCHIVE' })

  const index = await layoutWithImage('index-link')
  renameSync(join(index, 'index.json'), join(directory, 'moved-index'))
  symlinkSync(join(directory, 'moved-index'), join(index, 'index.json'))
  await refused(openLayout(index), /is a link/)

  const blobs = await layoutWithImage('blobs-link')
  renameSync(join(blobs, 'blobs'), join(directory, 'moved-blobs'))
  symlinkSync(join(directory, 'moved-blobs'), join(blobs, 'blobs'))
  await refused(pulled(blobs), /is a link/)
})

test('T28 other bytes under a digest’s name are refused by the copy', async () => {
  const root = await layoutWithImage('wrong-bytes')
  const path = layerPath(root)
  const bytes = readFileSync(path)
  bytes[20]! ^= 1
  rmSync(path)
  writeFileSync(path, bytes)
  await assert.rejects(pulled(root), { code: 'DIGEST_MISMATCH' })
})

test('what is no layout is refused: nothing there, no marker, another version, no index, a device', async () => {
  await refused(openLayout(join(directory, 'nothing')), /not an OCI image layout/)
  const root = join(directory, 'odd')
  mkdirSync(root)
  await refused(openLayout(root), /not an OCI image layout/)
  writeFileSync(join(root, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}')
  await refused(openLayout(root), /unknown version/)
  writeFileSync(join(root, 'oci-layout'), '{"imageLayoutVersion": "1.0.0"}')
  await refused(openLayout(root), /index.json is missing/)
  writeFileSync(join(root, 'index.json'), 'garbage')
  await refused(openLayout(root), /index.json cannot be read/)
})

test('a copy that fails leaves no partial blob, and the next one succeeds', async () => {
  const root = join(directory, 'interrupted')
  const target = await createLayoutTarget(root)
  const layer = image.manifest.layers[0]!
  const broken = async () =>
    (async function* () {
      yield image.blobs.get(layer.digest)!.subarray(0, 10)
      throw new Error('connection lost')
    })()
  await assert.rejects(target.putBlob(layer, broken), /connection lost/)
  assert.deepEqual(readdirSync(join(root, 'blobs/sha256')), [])
  await putImage(target, image, 'v1')
  assert.ok(existsSync(layerPath(root)))
  await pulled(root)
})

test('an image without a name is listed by finish, and loses that entry when it is named', async () => {
  const root = join(directory, 'unnamed')
  const target = await createLayoutTarget(root)
  await putImage(target, image)
  assert.deepEqual(await (await openLayout(root)).images(), [])
  await target.finish()
  assert.deepEqual(await (await openLayout(root)).images(), [{ descriptor: image.manifestDescriptor }])
  await target.tag('v1', { descriptor: image.manifestDescriptor, bytes: image.manifestBytes })
  assert.deepEqual(await (await openLayout(root)).images(), [{ descriptor: image.manifestDescriptor, refName: 'v1' }])
})

test('an image counts as there only when all its parts are', async () => {
  const root = await layoutWithImage('partial')
  const target = await createLayoutTarget(root)
  assert.equal(await target.has(image.manifestDescriptor), true)
  rmSync(layerPath(root))
  assert.equal(await target.has(image.manifestDescriptor), false)
  await putImage(target, image, 'v1')
  assert.equal(await target.has(image.manifestDescriptor), true)
})

test('a full name is kept beside its tag; two names of one tag both stay, and the newest has the tag', async () => {
  const root = join(directory, 'full-names')
  const target = await createLayoutTarget(root)
  const other = await randomImage({ seed: 9 })
  await putImage(target, image, 'docker.io/library/a:1')
  await putImage(target, other, 'docker.io/library/b:1')
  const layout = await openLayout(root)
  const digestOfName = async (name: string) => (await layout.resolve(name)).descriptor.digest
  assert.equal(await digestOfName('a:1'), image.manifestDescriptor.digest)
  assert.equal(await digestOfName('b:1'), other.manifestDescriptor.digest)
  assert.equal(await digestOfName('1'), other.manifestDescriptor.digest)
  await putImage(target, image, 'docker.io/library/b:1')
  assert.equal(await digestOfName('1'), image.manifestDescriptor.digest)
  assert.equal((await layout.images()).length, 2)
})
