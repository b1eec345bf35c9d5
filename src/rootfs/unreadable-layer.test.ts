import assert from 'node:assert/strict'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mayMount, mountErofs, mountOverlay, unmount } from '#host'
import { temporaryDirectory } from '#host/file'
import { createLowerView, flatten, unreadable } from './index.ts'
import { chooseLayerMounts } from './layer-format-choice.ts'
import { tinyImage } from './tiny-image.ts'

const skip = !mayMount() && 'needs CAP_SYS_ADMIN to mount'

test('a file of a layer that cannot be read is told with its layer, below an overlay too', {
  skip,
}, async (context) => {
  await using directory = await temporaryDirectory(tmpdir(), 'unreadable-')
  if (!(await chooseLayerMounts(directory.path)).reason.includes('as errors'))
    return context.skip('this kernel gives zeros, or mounts no file')
  const hex = 'ab'.repeat(32)
  const places = Object.fromEntries(
    ['store', 'layer', 'other', 'root'].map((name) => [name, join(directory.path, name)]),
  )
  for (const place of Object.values(places)) mkdirSync(place)
  mkdirSync(join(places['store']!, hex))
  const image = join(places['store']!, hex, 'layer.erofs')
  const { bytes, data } = await tinyImage()
  writeFileSync(image, bytes)
  truncateSync(image, data!.cutAt)
  mountErofs(image, places['layer']!, { by: 'file' })
  try {
    mountOverlay({ lowers: [places['other']!, places['layer']!], target: places['root']!, readOnly: true })
    try {
      for (const tree of [places['layer']!, places['root']!])
        await assert.rejects(Array.fromAsync(flatten(tree)), {
          code: 'STORE_DAMAGED',
          message: `the layer sha256:${hex} is damaged or cannot be read: /data: EIO`,
        })
    } finally {
      unmount(places['root']!)
    }
    assert.equal(createLowerView([places['layer']!]).stat('data')?.size, 65536n, 'what can be read is no damage')
  } finally {
    unmount(places['layer']!)
  }
})

test('damage of another disk is told with the path, other errors as they are', () => {
  const damaged = unreadable(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' }), tmpdir()) as Error
  assert.match(damaged.message, /^a damaged disk cannot be read: \/.*: EIO$/)
  const missing = Object.assign(new Error('gone'), { code: 'ENOENT' })
  assert.equal(unreadable(missing, '/nowhere'), missing)
})
