import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { mayMount, mountErofs, sparseExtents, unmount, writeXattr } from '#host'
import {
  describeTree,
  file,
  link,
  type MemoryLayer,
  reassembled,
  tarOf,
  writeLayer,
  writeLayerInto,
} from '../../../test/kit/layer-kit.ts'
import { BLOCK, checkErofs, lookupPath, openErofs, walkImage } from '../erofs/index.ts'

const scratch = fs.mkdtempSync(join(tmpdir(), 'bale-layer-'))
const noMount = !mayMount() && 'needs CAP_SYS_ADMIN to mount'
after(() => fs.rmSync(scratch, { recursive: true, force: true }))

/** Everything that a tree can hold, made by ordinary programs. */
function makeTree(root: string): void {
  const at = (name: string) => join(root, name)
  fs.mkdirSync(at('sizes'), { recursive: true })
  for (const size of [
    0, 1, 511, 512, 513, 3967, 4031, 4032, 4033, 4095, 4096, 4097, 8191, 8192, 8193, 70_000, 1_200_000,
  ])
    fs.writeFileSync(at(`sizes/${size}`), randomBytes(size))
  fs.mkdirSync(at('names'))
  for (const name of [
    '!a',
    '#h',
    '+p',
    '-x',
    '..x',
    '.hidden',
    '\u00e9',
    '日本',
    'e\u0301',
    'a b',
    'x'.repeat(255),
    'new\nline',
  ])
    fs.writeFileSync(at(`names/${name}`), name)
  fs.writeFileSync(Buffer.concat([Buffer.from(at('names/')), Buffer.from([0xff, 0xfe, 0x80])]), 'not UTF-8')
  fs.mkdirSync(at('many'))
  for (let i = 0; i < 700; i++) fs.writeFileSync(at(`many/file-${i}`), `${i}`)
  fs.mkdirSync(at('wide'))
  for (let i = 0; i < 40; i++) fs.mkdirSync(at(`wide/${String(i).padStart(3, '0')}${'w'.repeat(252)}`))
  fs.mkdirSync(at('links'))
  for (const length of [1, 60, 447, 1000, 4031, 4032, 4033, 4095])
    fs.symlinkSync('t'.repeat(length), at(`links/${length}`))
  fs.linkSync(at('sizes/0'), at('links/hard-empty'))
  fs.linkSync(at('sizes/513'), at('links/hard-small'))
  fs.linkSync(at('sizes/513'), at('links/hard-small-again'))
  fs.linkSync(at('sizes/70000'), at('links/hard-large'))
  fs.mkdirSync(at('special'))
  execFileSync(
    'sh',
    [
      '-c',
      'mkfifo fifo; mknod null c 1 3; mknod big b 259 1048575; mknod other c 4095 300; touch set; chmod 4755 set; chmod 1777 .; chown 12:34 set; chown 4294967294:4294967294 null',
    ],
    { cwd: at('special') },
  )
  fs.writeFileSync(at('special/attributed'), 'x')
  writeXattr(at('special/attributed'), 'user.empty', Buffer.alloc(0))
  writeXattr(at('special/attributed'), 'user.long', Buffer.alloc(2000, 'v'))
  writeXattr(at('special/attributed'), 'trusted.mine', Buffer.from('secret'))
  writeXattr(at('special'), 'user.dir', Buffer.from('d'))
  writeXattr(at('special/set'), 'security.capability', Buffer.from('AQAAAgAgAAAAAAAAAAAAAAAAAAA=', 'base64'))
  fs.utimesSync(at('special/set'), -86400.5, -86400.5)
  fs.lutimesSync(at('links/60'), 5_000_000_000, 5_000_000_000)
}

let tarPath = ''
let tar: Buffer
let layer: MemoryLayer

before(async () => {
  if (noMount) return
  const root = join(scratch, 'tree')
  fs.mkdirSync(root)
  makeTree(root)
  tarPath = join(scratch, 'tree.tar')
  execFileSync('tar', ['--format=pax', '--xattrs', '--xattrs-include=*', '-cf', tarPath, '-C', root, '.'])
  tar = fs.readFileSync(tarPath)
  layer = await writeLayer(tar)
})

async function mounted<T>(image: Uint8Array, use: (directory: string) => T | Promise<T>): Promise<T> {
  const path = join(scratch, `image-${randomBytes(4).toString('hex')}`)
  fs.writeFileSync(path, image)
  const target = `${path}.mnt`
  fs.mkdirSync(target)
  mountErofs(path, target)
  try {
    return await use(target)
  } finally {
    unmount(target)
  }
}

test('the kernel shows the same tree as tar extracts', { skip: noMount }, async () => {
  const extracted = join(scratch, 'extracted')
  fs.mkdirSync(extracted)
  execFileSync('tar', ['-xp', '--xattrs', '--xattrs-include=*', '--numeric-owner', '-f', tarPath, '-C', extracted])
  const expected = describeTree(extracted)
  assert.ok(expected.length > 750)
  await mounted(layer.image.bytes, (directory) => {
    assert.deepEqual(describeTree(directory), expected)
    assert.equal(fs.statSync(join(directory, 'sizes/1')).blksize, 4096)
  })
})

test('the exact tar comes back, and its digest is the diff ID', { skip: noMount }, async () => {
  const again = await reassembled(layer)
  assert.ok(again.equals(tar))
  assert.equal(layer.written.diffId, `sha256:${createHash('sha256').update(tar).digest('hex')}`)
  assert.equal(layer.written.tarSize, tar.length)
  assert.equal(layer.written.imageSize, layer.image.bytes.length)
})

test('names, attributes and small files are in the blocks that are told as metadata', { skip: noMount }, async () => {
  const alone = Buffer.alloc(layer.image.bytes.length)
  for (const { first, count } of layer.written.metadata)
    layer.image.bytes.copy(alone, first * BLOCK, first * BLOCK, (first + count) * BLOCK)
  // Of files that have blocks of their own, the digest of the content is left out.
  const told = (directory: string) =>
    describeTree(directory).map((line) => line.replace(/( file \d{4,}) [0-9a-f]{16}/, '$1'))
  const expected = await mounted(layer.image.bytes, told)
  assert.ok(expected.length > 750)
  // One line at a time: a difference of long lists takes minutes to show.
  for (const [index, line] of (await mounted(alone, told)).entries()) assert.equal(line, expected[index])
  const blocks = layer.written.metadata.reduce((sum, { count }) => sum + count, 0)
  assert.ok(blocks * BLOCK < alone.length / 2, 'the data of large files is not among it')
})

test('image and split do not depend on how the stream is cut', { skip: noMount }, async () => {
  for (const piece of [337, 4096, 10_000_000]) {
    const other = await writeLayer(tar, { piece })
    assert.ok(other.image.bytes.equals(layer.image.bytes), `pieces of ${piece}`)
    assert.ok(other.split.equals(layer.split), `pieces of ${piece}`)
  }
})

test('our own checker and reader agree with the kernel', { skip: noMount }, async () => {
  const { names, inodes } = await checkErofs(layer.image)
  const image = await openErofs(layer.image)
  const paths: string[] = []
  for await (const one of walkImage(image)) paths.push(one.path)
  assert.equal(paths.length, names)
  assert.ok(inodes < names, 'hard links share inodes')
  await mounted(layer.image.bytes, (directory) => {
    const listed = execFileSync('find', [directory, '-printf', '%P\\0'], { maxBuffer: 1e8 })
      .toString('latin1')
      .split('\0')
      .slice(0, -1)
    assert.deepEqual(paths.toSorted(), listed.toSorted())
  })
  const inode = (await lookupPath(image, '/sizes/1200000'))!
  const content: Uint8Array[] = []
  for await (const bytes of image.readData(inode.nid)) content.push(bytes)
  assert.ok(Buffer.concat(content).equals(fs.readFileSync(join(scratch, 'tree/sizes/1200000'))))
  assert.equal(inode.size, 1_200_000)
})

test('fsck.erofs finds nothing wrong', {
  skip: noMount || (spawnSync('fsck.erofs', ['-h']).error && 'erofs-utils is not installed'),
}, () => {
  const path = join(scratch, 'fsck.erofs')
  fs.writeFileSync(path, layer.image.bytes)
  const { status, stderr, stdout } = spawnSync('fsck.erofs', [path], { encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
})

test('tars of other formats give the same tree and come back exactly', { skip: noMount }, async () => {
  const root = join(scratch, 'plain')
  fs.mkdirSync(join(root, 'd'.repeat(120), 'e'.repeat(90)), { recursive: true })
  fs.writeFileSync(join(root, 'd'.repeat(120), 'e'.repeat(90), 'f'), 'deep')
  fs.writeFileSync(join(root, 'a'), randomBytes(5000))
  fs.symlinkSync('s'.repeat(150), join(root, 'l'))
  execFileSync('find', [root, '-exec', 'touch', '-hd', '@1000000000', '{}', '+'])
  const trees = new Set<string>()
  for (const args of [
    ['--format=gnu'],
    ['--format=pax'],
    ['--format=gnu', '-b', '1'],
    ['--format=posix', '--pax-option=delete=atime,delete=ctime'],
  ]) {
    const bytes = execFileSync('tar', [...args, '-cf', '-', '-C', root, '.'], { maxBuffer: 1e8 })
    const one = await writeLayer(bytes)
    assert.ok((await reassembled(one)).equals(bytes), args.join(' '))
    trees.add((await mounted(one.image.bytes, (directory) => describeTree(directory))).join('\n'))
  }
  assert.equal(trees.size, 1)
})

const others: Record<string, string[]> = {
  'Python ustar': ['python3', '-c', python('USTAR_FORMAT')],
  'Python GNU': ['python3', '-c', python('GNU_FORMAT')],
  'Python PAX': ['python3', '-c', python('PAX_FORMAT')],
  'bsdtar PAX': ['bsdtar', '--format', 'pax', '-cf', '-', '.'],
  'bsdtar GNU': ['bsdtar', '--format', 'gnutar', '-cf', '-', '.'],
  busybox: ['busybox', 'tar', '-cf', '-', '.'],
}
function python(format: string): string {
  return `import tarfile, sys; t = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.${format}); t.add('.'); t.close()`
}
for (const [name, [program, ...args]] of Object.entries(others))
  test(`the exact tar of ${name} comes back`, {
    skip: noMount || (spawnSync(program!, ['--help']).error && `${program} is not installed`),
  }, async () => {
    // Not the names: ustar cannot hold them all.
    const bytes = execFileSync(program!, args, { cwd: join(scratch, 'tree/many'), maxBuffer: 1e8 })
    const one = await writeLayer(bytes)
    assert.equal(one.written.entries, 701)
    assert.ok((await reassembled(one)).equals(bytes))
    await mounted(one.image.bytes, (directory) =>
      assert.equal(fs.readFileSync(join(directory, 'file-77'), 'utf8'), '77'),
    )
  })

test('a sparse file keeps its holes and its tar (T14)', { skip: noMount }, async () => {
  const root = join(scratch, 'sparse')
  fs.mkdirSync(root)
  const fd = fs.openSync(join(root, 'holes'), 'w')
  for (const at of [0, 1_000_000, 9_000_000]) fs.writeSync(fd, randomBytes(5000), 0, 5000, at)
  fs.ftruncateSync(fd, 12_345_678)
  fs.closeSync(fd)
  fs.writeFileSync(join(root, 'after'), 'after')
  for (const args of [
    ['--format=gnu'],
    ['--format=pax', '--sparse-version=1.0'],
    ['--format=pax', '--sparse-version=0.1'],
    ['--format=pax', '--sparse-version=0.0'],
  ]) {
    const bytes = execFileSync('tar', [...args, '-S', '-cf', '-', '-C', root, '.'], { maxBuffer: 1e8 })
    assert.ok(bytes.length < 200_000, 'GNU tar wrote a sparse file')
    const one = await writeLayer(bytes)
    assert.ok((await reassembled(one)).equals(bytes), args.join(' '))
    await mounted(one.image.bytes, (directory) => {
      for (const name of ['holes', 'after'])
        assert.ok(
          fs.readFileSync(join(directory, name)).equals(fs.readFileSync(join(root, name))),
          `${args.join(' ')}: ${name}`,
        )
    })
  }
})

test('paths are looked up inside the image only, whatever its symlinks say (T03, T04)', async () => {
  const one = await writeLayer(
    await tarOf([
      file('etc/passwd', 'inner'),
      link('abs', '/etc'),
      link('up', '../../../../etc'),
      link('loop', 'loop'),
      link('file', 'etc/passwd'),
      link('dangling', 'nowhere'),
    ]),
  )
  const image = await openErofs(one.image)
  for (const path of ['etc/passwd', '/abs/passwd', 'up/passwd', '../../etc/passwd', 'abs/../etc/./passwd', 'file'])
    assert.equal((await lookupPath(image, path))?.size, 5, path)
  assert.equal((await lookupPath(image, 'file', { followLast: false }))?.type, 'symlink')
  for (const path of ['dangling', 'etc/passwd/x', 'none/x'])
    assert.equal(await lookupPath(image, path), undefined, path)
  await assert.rejects(lookupPath(image, 'loop/x'), { code: 'INVALID_ARGUMENT' })
})

test('a file of a terabyte with a few bytes takes a small image, which the kernel and our reader read alike', {
  skip: noMount,
}, async () => {
  const size = 2 ** 40 + 5
  const sparse = [
    { offset: 4096, length: 5 },
    { offset: 2 ** 39, length: 3 },
    { offset: size - 4, length: 4 },
  ]
  const more = [
    { offset: 3, length: 0 },
    ...Array.from({ length: 2000 }, (_, i) => ({ offset: 10 + i * 70_001, length: 11 })),
  ]
  const data = Buffer.from('early'.padEnd(8, 'm').padEnd(12, 'z'))
  const tar = await tarOf([
    file('lastlog', data, { size, sparse }),
    file('all-hole', '', { size: 2 ** 33, sparse: [] }),
    file('many', Buffer.alloc(22_000, 'x'), { size: 200_000_000, sparse: more }),
    file('behind', 'plain'),
  ])
  const layer = await writeLayerInto(fileImage(join(scratch, 'terabyte.erofs')), tar)
  try {
    assert.equal(layer.written.contentSize, size + 2 ** 33 + 200_000_000 + 5)
    assert.ok(layer.written.imageSize < 3 * 2 ** 30)
    assert.ok(fs.statSync(join(scratch, 'terabyte.erofs')).blocks * 512 < 20 << 20)
    assert.ok((await reassembled(layer)).equals(tar))
    const image = await openErofs(layer.image)
    await checkErofs(layer.image)
    const lastlog = (await lookupPath(image, 'lastlog'))!
    assert.ok((await image.extents(lastlog.nid)).length >= 2)
    const read = async (start: number, length: number) =>
      Buffer.concat(await Array.fromAsync(image.readData(lastlog.nid, { start, length }))).toString('latin1')
    fs.mkdirSync(join(scratch, 'terabyte'))
    mountErofs(join(scratch, 'terabyte.erofs'), join(scratch, 'terabyte'))
    const fd = fs.openSync(join(scratch, 'terabyte/lastlog'), 'r')
    const many = fs.openSync(join(scratch, 'terabyte/many'), 'r')
    try {
      for (const [start, length] of [
        [4090, 20],
        [2 ** 39 - 2, 6],
        [size - 6, 6],
        [2 ** 38, 9],
      ] as const) {
        const bytes = Buffer.alloc(length)
        fs.readSync(fd, bytes, 0, length, start)
        assert.equal(await read(start, length), bytes.toString('latin1'))
      }
      const bytes = Buffer.alloc(13)
      fs.readSync(many, bytes, 0, 13, 10 + 1999 * 70_001 - 1)
      assert.equal(bytes.toString('latin1'), '\0xxxxxxxxxxx\0')
      assert.ok(sparseExtents(fd, size), 'the kernel tells the holes')
    } finally {
      fs.closeSync(fd)
      fs.closeSync(many)
      unmount(join(scratch, 'terabyte'))
    }
  } finally {
    layer.image.close()
  }
})

/** A file that is a sink and a source; what is not written is a hole. */
function fileImage(path: string) {
  const fd = fs.openSync(path, 'w+')
  return {
    writeAt: (position: number, bytes: Uint8Array) => void fs.writeSync(fd, bytes, 0, bytes.length, position),
    readAt(position: number, length: number) {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, position))
    },
    close: () => fs.closeSync(fd),
  }
}
