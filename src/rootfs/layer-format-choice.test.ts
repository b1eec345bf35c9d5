import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mayMount, mountTmpfs, unmount } from '#host'
import { temporaryFolder } from '#host/file'
import type { LayerFormat } from '#store'
import { chooseLayerFormat, layerFormats } from './layer-format-choice.ts'

const skip = !mayMount() && 'needs CAP_SYS_ADMIN to mount'

test('a store on a disk gets images, and the probe is done once per boot', { skip }, async () => {
  await using folder = await temporaryFolder(tmpdir(), 'choice-')
  const root = join(folder.path, 'root')
  assert.equal((await chooseLayerFormat(root)).name, 'erofs')
  const path = join(root, 'layer-format')
  const remembered = readFileSync(path, 'utf8')
  writeFileSync(path, remembered.replace('erofs', 'extract'))
  assert.equal((await chooseLayerFormat(root)).name, 'extract', 'the remembered answer is taken')
  writeFileSync(path, 'extract another-boot 0\n')
  assert.equal((await chooseLayerFormat(root)).name, 'erofs', 'after a reboot it is tried again')
})

test('what was asked for is taken, or refused with a reason', { skip }, async () => {
  await using folder = await temporaryFolder(tmpdir(), 'choice-')
  assert.equal((await chooseLayerFormat(folder.path, 'extract')).name, 'extract')
  assert.equal((await chooseLayerFormat(folder.path, 'erofs')).name, 'erofs')
  const remembered = readFileSync(join(folder.path, 'layer-format'), 'utf8')
  writeFileSync(join(folder.path, 'layer-format'), remembered.replace('erofs', 'extract'))
  await assert.rejects(chooseLayerFormat(folder.path, 'erofs'), { code: 'UNSUPPORTED_HOST' })
})

test('a store on tmpfs works too: by a loop device, or by extraction', { skip }, async () => {
  await using folder = await temporaryFolder(tmpdir(), 'choice-')
  const root = join(folder.path, 'tmpfs')
  mkdirSync(root)
  mountTmpfs(root, 'size=8m')
  try {
    assert.ok(['erofs', 'extract'].includes((await chooseLayerFormat(root)).name))
  } finally {
    unmount(root)
  }
})

test('the modules that a worker is told to load export the format of that name', async () => {
  for (const { name, module } of Object.values(layerFormats)) {
    const { layerFormat } = (await import(module)) as { layerFormat: LayerFormat }
    assert.equal(layerFormat.name, name)
  }
})
