import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mayMount, mountErofs, mountTmpfs, probeMounts, unmount } from '#host'
import { temporaryDirectory } from '#host/file'
import type { LayerFormatName } from '#store'
import { loadLayerFormat } from '#store/layer-jobs'
import { chooseLayerFormat, chooseLayerMounts } from './layer-format-choice.ts'
import { layerFormatLoaders } from './layer-formats.ts'
import { tinyImage } from './tiny-image.ts'

const skip = !mayMount() && 'needs CAP_SYS_ADMIN to mount'

test('a store on a disk gets images, and the probe is done once per boot', { skip }, async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'choice-')
  const root = join(directory.path, 'root')
  assert.equal((await chooseLayerFormat(root)).written, 'erofs')
  const path = join(root, 'layer-format')
  const remembered = readFileSync(path, 'utf8')
  writeFileSync(path, remembered.replace('erofs', 'extract'))
  assert.equal((await chooseLayerFormat(root)).written, 'extract', 'the remembered answer is taken')
  writeFileSync(path, remembered.replace('erofs', 'extract').replace(/\S+ \d+\n$/, 'another-boot 0\n'))
  assert.equal((await chooseLayerFormat(root)).written, 'erofs', 'after a reboot it is tried again')
  writeFileSync(path, remembered.replace(/^erofs \S+ \S+/, 'extract'))
  assert.equal((await chooseLayerFormat(root)).written, 'erofs', 'what another version wrote is tried again')
  assert.equal(readFileSync(path, 'utf8'), remembered)
})

test('layers are mounted from their files only where a short read is an error', { skip }, async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'choice-')
  const image = await tinyImage()
  const probed = await probeMounts(directory.path, image)
  const chosen = await chooseLayerMounts(directory.path)
  assert.equal(chosen.by, probed.erofs)
  const path = join(directory.path, 'layer-format')
  const remembered = readFileSync(path, 'utf8')
  assert.equal(remembered.split(' ')[2], probed.zeroFills ? 'zeros' : 'errors')
  writeFileSync(path, remembered.replace(/^erofs \S+ \S+/, 'erofs loop zeros'))
  const loop = await chooseLayerMounts(directory.path)
  assert.equal(loop.by, 'loop')
  assert.match(loop.reason, /zeros/)
  assert.deepEqual(await chooseLayerMounts(directory.path, 'file'), { by: 'file', reason: 'as configured' })
})

test('the image for the probe is whole before it is cut', { skip }, async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'choice-')
  const [image, target] = [join(directory.path, 'image'), join(directory.path, 'target')]
  const { bytes, data } = await tinyImage()
  writeFileSync(image, bytes)
  mkdirSync(target)
  mountErofs(image, target)
  try {
    assert.ok(readFileSync(join(target, data!.name)).equals(Buffer.alloc(16 * 4096, 'data ')))
  } finally {
    unmount(target)
  }
})

test('a file whose missing end is read without an error is reason for loop devices', { skip }, async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'choice-')
  const { bytes, data } = await tinyImage()
  // Nothing is missing here: the read succeeds, as it does in a kernel that takes zeros instead.
  const probed = await probeMounts(directory.path, { bytes, data: { name: data!.name, cutAt: bytes.length } })
  assert.equal(probed.zeroFills, true)
  assert.equal(probed.erofs, 'loop')
})

test('what was asked for is taken, or refused with a reason', { skip }, async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'choice-')
  assert.equal((await chooseLayerFormat(directory.path, 'extract')).written, 'extract')
  assert.equal((await chooseLayerFormat(directory.path, 'erofs')).written, 'erofs')
  const remembered = readFileSync(join(directory.path, 'layer-format'), 'utf8')
  writeFileSync(join(directory.path, 'layer-format'), remembered.replace('erofs', 'extract'))
  await assert.rejects(chooseLayerFormat(directory.path, 'erofs'), { code: 'UNSUPPORTED_HOST' })
})

test('a store on tmpfs works too: by a loop device, or by extraction', { skip }, async () => {
  await using directory = await temporaryDirectory(tmpdir(), 'choice-')
  const root = join(directory.path, 'tmpfs')
  mkdirSync(root)
  mountTmpfs(root, 'size=8m')
  try {
    assert.ok(['erofs', 'extract'].includes((await chooseLayerFormat(root)).written))
  } finally {
    unmount(root)
  }
})

test('each name loads the format of that name, and no other name loads anything', async () => {
  const names = Object.keys(layerFormatLoaders) as LayerFormatName[]
  for (const name of names) assert.equal((await loadLayerFormat(layerFormatLoaders, name)).name, name)
  for (const name of ['', 'constructor', '__proto__', './erofs-format.ts', 'data:text/javascript,throw 1']) {
    const refused = { code: 'UNSUPPORTED_HOST', message: /which is not available/ }
    await assert.rejects(loadLayerFormat(layerFormatLoaders, name as LayerFormatName), refused, name)
  }
})
