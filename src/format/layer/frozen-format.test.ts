import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { directoryEntry, file, link, memoryImage, tarOf, writeLayer } from '../../../test/kit/layer-kit.ts'
import { openErofs } from '../erofs/index.ts'
import { reassemble } from './index.ts'

/**
 * Layers on disk are read again by later versions: image and split of one tar must be these bytes forever. Any
 * change needs a new split version (SPLIT_HEADER) and a new store directory (layers-v2), and this format must stay readable.
 */
test('the same tar gives the same image and split on every machine and in every version', async () => {
  const xattrs = new Map([
    ['user.b', Buffer.from('two')],
    ['user.a', Buffer.from('one')],
    ['security.capability', Buffer.alloc(20, 1)],
  ])
  const tar = await tarOf([
    directoryEntry('./', { mode: 0o750, mtime: 12, mtimeNanoseconds: 5 }),
    ...Array.from({ length: 300 }, (_, i) => file(`many/${i}`, 'm'.repeat(i * 31))),
    file('xattrs', 'x', { xattrs }),
    directoryEntry('d', { xattrs, uid: 7, gid: 4_000_000_000, mtime: -1, mtimeNanoseconds: 500 }),
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

/** Image and split, as 0.1 wrote them, of a file with data at 0 and at 40000: the hole is stored in the image as zeros. */
const SPARSE_IMAGE_OF_0_1 =
  'H4sIAAAAAAACA+3WMQ4BURQF0DujZRcjVLMHUdiHENFobIB9KG3FNmTolXqJCI1oRDFxTvPfT27yk/ublwD/6ny6Ns3hOOkk6aZK+SbT++H7RZLLKBk+7t0P2dJ3AQDA1/v3fpuMd68du/iQBQAAANpnOl8sV2oAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIC7+WqmBGip6nmWz7mfMpvHPEiRuq7XmgIAAID2ugFdCB3QANAAAA=='
const SPARSE_SPLIT_OF_0_1 =
  'H4sIAAAAAAACA+3TsQrCMBAG4JvvKfIE9b8kpnboqpuL+AARMlSqlqSK+PRCC6LdFcV8y4V/uiP8O98Glbq26dVFmKij9wMAZ+0wAUwnxLjHe8ydNiWp6wd2o3PqfSSA/pPWarXeFqnzMYXi4PenWAtP0uZ4ijVYy3N69IdQJ9bVcxiDb1NzC7UFYJiyL1fMVuvtZvi8ZdOGYl5KNUuf7L+UAvPaf9Fza0nhl/o/Pe5HGAZbVI6NWzjLRkzFY3eR25tlWZZl3+gO0v1wDM0NAAA='

test('a layer of 0.1 with a sparse file gives back its tar and its content', async () => {
  const image = memoryImage()
  image.writeAt(0, gunzipSync(Buffer.from(SPARSE_IMAGE_OF_0_1, 'base64')))
  const split = gunzipSync(Buffer.from(SPARSE_SPLIT_OF_0_1, 'base64'))
  const hash = createHash('sha256')
  for await (const bytes of reassemble({ image, split: ReadableStream.from([split]) })) hash.update(bytes)
  assert.equal(hash.digest('hex'), '8fab3635140199c67c3d6d4e1b949a54d546d03c322351a8134b17cb76bb4f33')
  const opened = await openErofs(image)
  const [entry] = await Array.fromAsync(opened.readDirectory(opened.root))
  const content = Buffer.concat(await Array.fromAsync(opened.readData(entry!.nid)))
  const expected = Buffer.alloc(40_003)
  expected.write('begin')
  expected.write('end', 40_000)
  assert.ok(content.equals(expected))
})
