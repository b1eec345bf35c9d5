import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBaleError } from '#base'
import {
  directoryEntry,
  file,
  link,
  reassembled,
  tarOf,
  writeLayer,
  writeLayerInto,
} from '../../../test/kit/layer-kit.ts'
import { checkErofs, openErofs, readLink, walkImage } from '../erofs/index.ts'
import type { NewTarEntry } from '../tar/index.ts'

type Entries = Parameters<typeof tarOf>[0]

/** The image's tree as `path` -> what stands there. */
async function treeOf(entries: Entries): Promise<Record<string, string>> {
  const tar = await tarOf(entries)
  const layer = await writeLayer(tar)
  assert.ok((await reassembled(layer)).equals(tar), 'the exact tar comes back')
  await checkErofs(layer.image)
  const image = await openErofs(layer.image)
  const tree: Record<string, string> = {}
  for await (const one of walkImage(image)) {
    if (one.path === '') continue
    const xattrs = [...(await image.xattrs(one.nid))]
      .map(([key, value]) => ` ${key}=${Buffer.from(value).toString('latin1')}`)
      .join('')
    if (one.type === 'symlink') tree[one.path] = `-> ${await readLink(image, one.nid)}`
    else if (one.type === 'character') tree[one.path] = `device ${one.deviceMajor}:${one.deviceMinor}`
    else if (one.type === 'directory') tree[one.path] = `directory${xattrs}`
    else {
      const parts: Uint8Array[] = []
      for await (const bytes of image.readData(one.nid)) parts.push(bytes)
      tree[one.path] =
        `file ${Buffer.concat(parts).toString('latin1')}${one.links > 1 ? ` links=${one.links}` : ''}${xattrs}`
    }
  }
  return tree
}

const refused: [string, Entries][] = [
  ['T01 ".." at the start', [file('../../etc/x', 'x')]],
  ['T01 ".." inside', [file('a/../../b', 'x')]],
  ['T03 a parent that is a file', [file('a', 'x'), file('a/b', 'x')]],
  ['T03 a symlink that leads to itself', [link('a', 'a'), file('a/b', 'x')]],
  ['T05 the root as a symlink', [link('.', '/etc')]],
  ['T05 the root as a file', [file('/', 'x')]],
  ['T06 a hard link outside', [file('a', 'x'), link('b', '../../etc/shadow', 'hardlink')]],
  ['T06 a hard link to the root', [link('b', '/', 'hardlink')]],
  [
    'T06 a hard link through a chain of symlinks to the host',
    [link('a', 'b'), link('b', '/'), link('c', 'a/etc/shadow', 'hardlink')],
  ],
  ['T07 a hard link to itself', [link('a', 'a', 'hardlink')]],
  ['T07 a hard link to a later entry', [link('a', 'b', 'hardlink'), file('b', 'x')]],
  ['T07 two hard links to each other', [link('a', 'b', 'hardlink'), link('b', 'a', 'hardlink')]],
  ['T07 a hard link to a file of a lower layer', [link('a', 'usr/bin/x', 'hardlink')]],
  ['T07 a hard link to a directory', [directoryEntry('d'), link('a', 'd', 'hardlink')]],
  ['T08 a whiteout of nothing', [file('.wh.', '')]],
  ['T08 a whiteout of "."', [file('d/.wh..', '')]],
  ['T08 a whiteout of ".."', [file('.wh...', '')]],
  ['T08 a whiteout as a parent', [file('/.wh.etc/x', '')]],
  ['T11 device 0:0', [{ entry: { name: 'x', type: 'character', deviceMajor: 0, deviceMinor: 0 } }]],
  ['T18 a name that is too long', [file('n'.repeat(256), '')]],
  ['T25 a path that is too deep', [directoryEntry('d/'.repeat(2100))]],
  [
    'T25 a chain of too many symlinks',
    [...Array.from({ length: 60 }, (_, i) => link(`l${i}`, `l${i + 1}`)), directoryEntry('l60'), file('l0/x', 'x')],
  ],
]
for (const [what, entries] of refused)
  test(`${what} is refused`, async () => {
    await assert.rejects(
      async () => writeLayer(await tarOf(entries)),
      (error) => isBaleError(error, 'INVALID_TAR') && error.hint !== undefined,
    )
  })

const accepted: [string, Entries, Record<string, string>][] = [
  [
    'T02 absolute names lose their slash',
    [file('/etc/x', 'x'), file('//y', 'y'), file('././/z', 'z')],
    { etc: 'directory', 'etc/x': 'file x', y: 'file y', z: 'file z' },
  ],
  [
    'T03 a symlink as parent is followed inside the layer',
    [link('a', '/etc'), file('a/passwd', 'p')],
    { a: '-> /etc', etc: 'directory', 'etc/passwd': 'file p' },
  ],
  [
    'T03 a symlink upwards stops at the root',
    [link('d/a', '../../../../x'), file('d/a/f', 'f')],
    { d: 'directory', 'd/a': '-> ../../../../x', x: 'directory', 'x/f': 'file f' },
  ],
  [
    'T07 hard links share one inode',
    [file('a', 'x'.repeat(5000)), link('b', './a', 'hardlink'), link('c', '/b', 'hardlink')],
    {
      a: `file ${'x'.repeat(5000)} links=3`,
      b: `file ${'x'.repeat(5000)} links=3`,
      c: `file ${'x'.repeat(5000)} links=3`,
    },
  ],
  [
    'T07 a replaced name is no link any more',
    [file('a', 'x'), link('b', 'a', 'hardlink'), link('c', 'a', 'hardlink'), file('b', 'own')],
    { a: 'file x links=2', b: 'file own', c: 'file x links=2' },
  ],
  [
    'T07 all names of a file replaced',
    [file('a', 'x'), link('b', 'a', 'hardlink'), file('a', '1'), file('b', '2')],
    { a: 'file 1', b: 'file 2' },
  ],
  [
    'T09 an opaque mark that is a directory or a symlink means nothing',
    [directoryEntry('d'), directoryEntry('d/.wh..wh..opq'), directoryEntry('e'), link('e/.wh..wh..opq', 'x')],
    { d: 'directory', e: 'directory' },
  ],
  [
    'T09 an opaque mark may carry data',
    [directoryEntry('d'), file('d/.wh..wh..opq', 'payload')],
    { d: 'directory trusted.overlay.opaque=y' },
  ],
  [
    'T09 metadata of aufs is not visible',
    [directoryEntry('.wh..wh.plnk'), file('.wh..wh.plnk/1.2', 'x'), file('.wh..wh.aufs', 'x'), file('a', 'x')],
    { a: 'file x' },
  ],
  ['T10 an entry wins over its whiteout, before it', [file('a', 'x'), file('.wh.a', '')], { a: 'file x' }],
  ['T10 an entry wins over its whiteout, behind it', [file('.wh.a', ''), file('a', 'x')], { a: 'file x' }],
  [
    'T10 a directory with a whiteout is opaque',
    [directoryEntry('d'), file('d/x', 'x'), file('.wh.d', '')],
    { d: 'directory trusted.overlay.opaque=y', 'd/x': 'file x' },
  ],
  [
    'T10 whiteouts are devices 0:0 and may be many',
    [file('.wh.a', ''), file('d/.wh.b', ''), file('.wh.c', 'payload')],
    { a: 'device 0:0', c: 'device 0:0', d: 'directory', 'd/b': 'device 0:0' },
  ],
  [
    'T10 a whiteout in a directory that is replaced goes with it',
    [file('d/.wh.b', ''), file('d', 'x')],
    { d: 'file x' },
  ],
  [
    'T11 marks of overlayfs are dropped, capabilities kept',
    [
      file('a', 'x', {
        xattrs: new Map([
          ['trusted.overlay.metacopy', Buffer.from('y')],
          ['user.overlay.redirect', Buffer.from('/')],
          ['security.capability', Buffer.from('cap')],
          ['com.apple.x', Buffer.from('1')],
        ]),
      }),
    ],
    { a: 'file x security.capability=cap' },
  ],
  [
    'T19 file, directory, file',
    [file('a', '1'), directoryEntry('a'), file('a/b', 'x'), file('./a', '3')],
    { a: 'file 3' },
  ],
  [
    'T19 "a" and "a/" are one name',
    [directoryEntry('a'), file('a/x', 'x'), directoryEntry('a/'), file('a//x', 'y')],
    { a: 'directory', 'a/x': 'file y' },
  ],
  [
    'T20 names that a human takes for one are two',
    [file('\u00e9', 'nfc'), file('e\u0301', 'nfd'), file('A', 'A'), file('a', 'a'), file('a.', 'dot')].map(utf8),
    { '\u00e9': 'file nfc', 'e\u0301': 'file nfd', A: 'file A', a: 'file a', 'a.': 'file dot' },
  ],
]
function utf8<T extends { entry: NewTarEntry }>(one: T): T {
  return { ...one, entry: { ...one.entry, name: Buffer.from(one.entry.name).toString('latin1') } }
}
for (const [what, entries, expected] of accepted)
  test(what, async () => {
    const wanted = Object.fromEntries(
      Object.entries(expected).map(([name, value]) => [Buffer.from(name).toString('latin1'), value]),
    )
    assert.deepEqual(await treeOf(entries), wanted)
  })

test('T14 sparse files make an image that is large only where they have data', async () => {
  const size = 2 ** 40
  const header = sparseHeader('huge', size, [{ offset: size - 512, length: 512 }])
  const { written } = await writeLayerInto(holedImage(), Buffer.concat([header, Buffer.alloc(512 + 1024)]))
  assert.ok(written.imageSize < 2 ** 30)
  assert.equal(written.contentSize, size)
})

test('T14 sparse files whose data is scattered to make a huge image are refused at once', async () => {
  const size = 2 ** 43
  const members = Array.from({ length: 40 }, (_, index) =>
    Buffer.concat([
      sparseHeader(`huge${index}`, size, [
        { offset: 0, length: 256 },
        { offset: size - 256, length: 256 },
      ]),
      Buffer.alloc(512),
    ]),
  )
  await assert.rejects(writeLayerInto(holedImage(), Buffer.concat([...members, Buffer.alloc(1024)])), {
    code: 'LIMIT_EXCEEDED',
  })
})

/** Takes writes anywhere and keeps none. */
function holedImage() {
  return { writeAt: () => undefined }
}

/** An old GNU sparse header. */
function sparseHeader(name: string, size: number, segments: { offset: number; length: number }[]): Buffer {
  const header = Buffer.alloc(512)
  const octal = (value: number, at: number, digits: number) =>
    header.write(value.toString(8).padStart(digits, '0'), at, 'latin1')
  header.write(name, 0)
  octal(0o644, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(
    segments.reduce((sum, one) => sum + one.length, 0),
    124,
    11,
  )
  octal(0, 136, 11)
  header.write('S', 156)
  header.write('ustar  \0', 257, 'latin1')
  const base256 = (value: number, at: number) => {
    header[at] = 0x80
    header.writeBigUInt64BE(BigInt(value), at + 4)
  }
  for (const [index, { offset, length }] of segments.entries()) {
    base256(offset, 386 + index * 24)
    base256(length, 398 + index * 24)
  }
  base256(size, 483)
  header.fill(0x20, 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

test('T21 a tar that stops is refused, one without its end blocks is not', async () => {
  const tar = await tarOf([file('a', 'x'.repeat(6000)), file('b', 'y')])
  for (const length of [100, 600, 5000, tar.length - 1024 - 512 - 1])
    await assert.rejects(writeLayer(tar.subarray(0, length)), { code: 'INVALID_TAR' }, `${length} bytes`)
  const bare = tar.subarray(0, tar.length - 1024)
  const trailing = Buffer.concat([tar, Buffer.from('garbage behind the end')])
  for (const bytes of [bare, trailing]) assert.ok((await reassembled(await writeLayer(bytes))).equals(bytes))
})

test('T25 deep paths cost no stack', async () => {
  const name = Array.from({ length: 1200 }, () => 'd').join('/')
  const tree = await treeOf([file(`${name}/f`, 'x')])
  assert.equal(tree[`${name}/f`], 'file x')
})

test('an image that belongs to another split is not taken for the tar', async () => {
  const one = await writeLayer(await tarOf([file('a', 'x'.repeat(50_000))]))
  const other = await writeLayer(await tarOf([file('a', 'x')]))
  await assert.rejects(reassembled({ ...other, split: one.split }), { code: 'INVALID_LAYER_IMAGE' })
  const damaged = Buffer.from(one.split)
  damaged[0]! ^= 1
  await assert.rejects(reassembled({ ...one, split: damaged }), { code: 'INVALID_LAYER_IMAGE' })
  damaged[0]! ^= 1
  damaged[120]! ^= 1
  await assert.rejects(reassembled({ ...one, split: damaged }), { code: 'INVALID_LAYER_IMAGE' })
  await assert.rejects(reassembled({ ...one, split: Buffer.alloc(0) }), { code: 'INVALID_LAYER_IMAGE' })
})
