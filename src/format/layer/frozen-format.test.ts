import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { directory, file, link, tarOf, writeLayer } from '../../../test/kit/layer-kit.ts'

/**
 * Layers on disk are read again by later versions: image and split of one tar must be these bytes for ever. Who has to
 * change them gives the split a new version (SPLIT_HEADER) and the store a new folder (layers-v2), and keeps reading this.
 */
test('the same tar gives the same image and split on every machine and in every version', async () => {
  const xattrs = new Map([
    ['user.b', Buffer.from('two')],
    ['user.a', Buffer.from('one')],
    ['security.capability', Buffer.alloc(20, 1)],
  ])
  const tar = await tarOf([
    directory('./', { mode: 0o750, mtime: 12, mtimeNanoseconds: 5 }),
    ...Array.from({ length: 300 }, (_, i) => file(`many/${i}`, 'm'.repeat(i * 31))),
    file('xattrs', 'x', { xattrs }),
    directory('d', { xattrs, uid: 7, gid: 4_000_000_000, mtime: -1, mtimeNanoseconds: 500 }),
    link('d/soft', '../many/1'),
    link('d/hard', 'many/200', 'hardlink'),
    file('many/5', 'replaced'),
    file('d/.wh.gone', ''),
    file('d/.wh..wh..opq', ''),
    { entry: { name: 'dev', type: 'block', deviceMajor: 259, deviceMinor: 70_000 } },
    { entry: { name: 'fifo', type: 'fifo' } },
  ])
  const { image, split } = await writeLayer(tar)
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  assert.deepEqual(
    { tar: sha256(tar), image: sha256(image.bytes), split: sha256(split) },
    {
      tar: 'cf589f0d1e3b2526eede2861bdbfd77c6dcacc13cbdb80746f54f901b32abf29',
      image: 'fda635eaebe65addf2da1ae6139b6bb0f61a04e9a4498c63464f7fb192032bbc',
      split: '27dc98e6603bfd6aef62365ff16ea272e81891d3eafdd5d8f44f8555bd24b1eb',
    },
  )
})
