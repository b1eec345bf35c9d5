import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mayMount, mountInfo, mountTmpfs, unmount } from '#host'
import { temporaryDirectory } from '#host/file'
import { file, tarOf } from '../../test/kit/layer-kit.ts'
import { layerFormatContract } from './contract.ts'
import { createRootfs } from './create-rootfs.ts'
import { layerFormat as erofs } from './erofs-format.ts'
import { layerFormat as extract } from './extract-format.ts'
import { chooseLayerFormat } from './layer-format-choice.ts'

layerFormatContract(erofs, tmpdir())
layerFormatContract(extract, tmpdir())

test('images that lie on tmpfs are mounted through loop devices', {
  skip: !mayMount() && 'needs CAP_SYS_ADMIN',
}, async (context) => {
  await using directory = await temporaryDirectory(tmpdir(), 'loop-')
  const root = join(directory.path, 'tmpfs')
  mkdirSync(root)
  mountTmpfs(root, 'size=16m')
  try {
    if ((await chooseLayerFormat(root)).written !== 'erofs') return context.skip('no loop devices here')
    const layer = join(root, 'layer')
    mkdirSync(layer)
    const tar = await tarOf([file('x', 'x'.repeat(9000))])
    const written = await erofs.write(
      layer,
      (async function* () {
        yield tar
      })(),
    )
    const record = { ...written, format: 'erofs' as const, directory: layer, contentSize: 0, created: 0 }
    const mounter = createRootfs({
      run: join(directory.path, 'run'),
      store: { layers: { ensureVerified: async () => record } },
    })
    {
      await using rootfs = await mounter.prepareRootfs([written.diffId], { id: 'loop', writable: false })
      assert.equal(readFileSync(join(rootfs.path, 'x')).length, 9000)
      assert.match(mountInfo().find(({ target }) => target === rootfs.lowers[0])!.source, /^\/dev\/loop/)
    }
    assert.equal(await mounter.releaseUnused(), 1)
  } finally {
    unmount(root)
  }
})
