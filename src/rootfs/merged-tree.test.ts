import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createTarScanner, type NewTarEntry, packTar, packTarAtOnce } from '#format/tar'
import { mayMount, mknod, mountInfo, mountTmpfs, unmount, writeXattr } from '#host'
import { temporaryDirectory } from '#host/file'
import type { Digest } from '#spec'
import type { LayerFormat, LayerRecord } from '#store'
import { directoryEntry, file, link, tarOf } from '../../test/kit/layer-kit.ts'
import { flatten } from './changeset.ts'
import { createRootfs } from './create-rootfs.ts'
import { layerFormat as erofs } from './erofs-format.ts'
import { layerFormat as extract } from './extract-format.ts'
import { flattenLayers } from './merged-tree.ts'
import type { Rootfs } from './rootfs.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')
const words = (...numbers: number[]) =>
  Buffer.concat(numbers.map((number) => Buffer.from(Uint32Array.of(number).buffer)))
/** Two bytes of a tag, two of permissions, four of an ID. */
const acl = (...entries: [number, number, number][]) =>
  Buffer.concat([words(2), ...entries.map(([tag, bits, id]) => Buffer.concat([words(tag | (bits << 16)), words(id)]))])

const ACL = acl([1, 7, 5], [2, 6, 1000], [4, 5, 0], [16, 7, 9], [32, 5, 0xffffffff])
const CAPABILITIES = {
  v2: words(0x02000001, 0x400, 0, 0, 0),
  'v3 of root': words(0x03000001, 0x400, 0, 0, 0, 0),
  'v3 of another': words(0x03000000, 0x400, 0, 0, 0, 100_000),
}

const device = (name: string, major: number, minor: number): { entry: NewTarEntry } => ({
  entry: { name, type: 'block', mode: 0o660, deviceMajor: major, deviceMinor: minor },
})

/** Layers, lowest first, in which every kind of entry meets every kind above it. */
const LAYERS: { entry: NewTarEntry; data?: Uint8Array }[][] = [
  [
    directoryEntry('.', { mode: 0o711, mtime: 5 }),
    ...['file', 'directory', 'link', 'pipe'].flatMap((below) =>
      ['file', 'directory', 'link', 'pipe', 'whiteout', 'opaque', 'nothing', 'written', 'removed'].flatMap((above) =>
        below === 'directory'
          ? [
              directoryEntry(`mix/${below}-${above}`, { mode: 0o1750, uid: 7, mtime: 11, mtimeNanoseconds: 12 }),
              file(`mix/${below}-${above}/inner`, `${below} under ${above}`),
              directoryEntry(`mix/${below}-${above}/deep/er`),
            ]
          : below === 'link'
            ? [link(`mix/${below}-${above}`, 'nowhere/at/all')]
            : below === 'pipe'
              ? [{ entry: { name: `mix/${below}-${above}`, type: 'fifo' as const, mode: 0o622 } }]
              : [file(`mix/${below}-${above}`, 'below'.repeat(2000), { mode: 0o6755 })],
      ),
    ),
    file('hard/a', 'a'.repeat(9000), { uid: 70_000, gid: 3_000_000, mtime: -5, mtimeNanoseconds: 7 }),
    link('hard/b', 'hard/a', 'hardlink'),
    link('hard/c', 'hard/a', 'hardlink'),
    link('hard/broken', 'hard/a', 'hardlink'),
    link('hard/hidden', 'hard/a', 'hardlink'),
    { entry: { name: 'hard/pipe-1', type: 'fifo' } },
    link('hard/pipe-2', 'hard/pipe-1', 'hardlink'),
    link('hard/link-1', 'x'.repeat(300)),
    link('hard/link-2', 'hard/link-1', 'hardlink'),
    file(`names/${bytes('\xff\xfe\x80').toString('latin1')}`, 'not UTF-8'),
    file(`names/${Buffer.from('Grüße').toString('latin1')}`, 'UTF-8'),
    file('names/a\nb "c" \\', 'odd'),
    file(`names/${'long-'.repeat(50)}`, 'long'),
    ...['a', 'a-', 'a.', 'a/b', 'a0', 'a b'].map((name) => file(`order/${name === 'a' ? 'a/z' : name}`, name)),
    file('x/acl', 'acl', { xattrs: new Map([['system.posix_acl_access', ACL]]) }),
    directoryEntry('x/default-acl', { xattrs: new Map([['system.posix_acl_default', ACL]]) }),
    ...Object.entries(CAPABILITIES).map(([name, value]) =>
      file(`x/${name}`, 'c', { xattrs: new Map([['security.capability', value]]) }),
    ),
    file('x/many', 'many', {
      xattrs: new Map([
        ['user.b', bytes('\0\xff')],
        ['user.a', bytes('')],
        ['trusted.t', bytes('t'.repeat(1500))],
        ['security.selinux', bytes('label')],
        ['security.other', bytes('o')],
      ]),
    }),
    device('devices/disk', 8, 300),
    { entry: { name: 'devices/null', type: 'character', mode: 0o666, deviceMajor: 1, deviceMinor: 3 } },
    ...[1, 4031, 4032, 4033, 4096, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 3_000_000].map((size) =>
      file(`sizes/${size}`, Buffer.alloc(size, `${size} `)),
    ),
    { entry: { name: 'sizes/empty', type: 'file' } },
    sparse('sizes/sparse', 400 << 20, [
      [0, 10],
      [300 << 20, 5000],
    ]),
    sparse('sizes/sparse-end', 300 << 20, [[(300 << 20) - 100, 100]]),
    sparse('sizes/small-sparse', 5 << 20, [[2 << 20, 4096]]),
  ],
  [
    ...['file', 'directory', 'link', 'pipe'].flatMap((below) => {
      const name = (above: string) => `mix/${below}-${above}`
      return [
        file(name('file'), 'above'),
        directoryEntry(name('directory'), { mode: 0o700, mtime: 99 }),
        file(`${name('directory')}/added`, 'added'),
        link(name('link'), 'over'),
        { entry: { name: name('pipe'), type: 'fifo' as const } },
        file(`mix/.wh.${below}-whiteout`, ''),
        directoryEntry(name('opaque'), { mtime: 42 }),
        file(`${name('opaque')}/.wh..wh..opq`, ''),
        file(`${name('opaque')}/new`, 'new'),
      ]
    }),
    file('hard/.wh.hidden', ''),
    file('second/only', 'second'),
    link('second/same', 'second/only', 'hardlink'),
  ],
  [
    directoryEntry('mix/directory-opaque', { mtime: 43 }),
    file('mix/directory-opaque/third', 'third'),
    file('mix/file-whiteout', 'back again'),
    file('mix/directory-whiteout/back', 'a directory where one was removed'),
    file('second/.wh.same', ''),
  ],
]

function sparse(name: string, size: number, places: [offset: number, length: number][]) {
  const extents = places.map(([offset, length]) => ({ offset, length }))
  const data = Buffer.alloc(
    extents.reduce((sum, { length }) => sum + length, 0),
    'data',
  )
  return { entry: { name, type: 'file' as const, size, sparse: extents }, data }
}

/**
 * What programs in a container do, by the mounted tree. No file of a layer with one name is linked here: until the next mount
 * overlayfs then shows two inode numbers for its two names, and a walk takes them for two files.
 */
async function change(root: string): Promise<void> {
  const at = (name: string) => join(root, name)
  for (const below of ['file', 'directory', 'link', 'pipe']) {
    fs.rmSync(at(`mix/${below}-removed`), { recursive: true })
    fs.rmSync(at(`mix/${below}-written`), { recursive: true })
    if (below === 'file') {
      fs.mkdirSync(at(`mix/${below}-written`))
      fs.writeFileSync(at(`mix/${below}-written/in`), 'a directory where a file was')
    } else fs.writeFileSync(at(`mix/${below}-written`), 'written', { mode: 0o751 })
  }
  fs.appendFileSync(at('hard/broken'), 'no longer the same file')
  fs.linkSync(at('hard/b'), at('hard/linked-to-many'))
  fs.chmodSync(at('x/many'), 0o4711)
  fs.writeFileSync(at('new-1'), 'new')
  fs.linkSync(at('new-1'), at('hard/new-2'))
  // A directory of a layer cannot be renamed: mv copies it.
  execFileSync('mv', [at('mix/directory-nothing'), at('moved')])
  fs.mkdirSync(at('mix/directory-nothing'))
  fs.writeFileSync(at('new-large'), Buffer.alloc(2_500_000, 'large '))
  fs.writeFileSync(at('new-sparse'), 'begin')
  fs.truncateSync(at('new-sparse'), 700 << 20)
  fs.appendFileSync(at('new-sparse'), 'end')
  fs.symlinkSync('/etc/passwd', at('new-link'))
  mknod(at('new-device'), 0o020600, 1, 5)
  writeXattr(at('new-large'), 'user.mine', bytes('x'))
  writeXattr(at('new-large'), 'security.capability', CAPABILITIES['v3 of root'])
  fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), bytes('new-\xff')]), 'name')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(at('socket'), resolve))
  await new Promise((resolve) => server.close(resolve))
  let deep = at('deep')
  for (let depth = 0; depth < 90; depth++, deep += '/d') fs.mkdirSync(deep)
  fs.writeFileSync(`${deep.slice(0, -2)}/bottom`, 'bottom')
}

for (const format of [erofs, extract])
  describe(`the merged view of layers in the format ${format.name}`, {
    skip: !mayMount() && 'needs CAP_SYS_ADMIN to mount',
  }, () => {
    test('is the same tar as a walk over the mount', async () => {
      await using b = await bench(format)
      const layers: Digest[] = []
      for (const entries of LAYERS) layers.push(await b.add(await tarOf(entries)))
      {
        await using rootfs = await b.mounter.prepareRootfs(layers, { id: 'read-only', writable: false })
        await assertSame(rootfs)
      }
      {
        await using rootfs = await b.mounter.prepareRootfs(layers, { id: 'box', writable: b.writable })
        await assertSame(rootfs)
        await change(rootfs.path)
        const names = await assertSame(rootfs)
        assert.ok(names.includes('moved/deep/er/') && !names.includes('socket') && !names.includes('hard/hidden'))
        fs.linkSync(join(rootfs.path, 'sizes/1'), join(rootfs.path, 'hard/new-name'))
      }
      await using again = await b.mounter.prepareRootfs(layers, { id: 'box', writable: b.writable })
      await assertSame(again)
    })

    test('ends at a layer whose root is opaque, and leaves out what is asked', async () => {
      await using b = await bench(format)
      const below = await b.add(await tarOf([file('below', 'b')]))
      const opaque = await b.add(await tarOf([file('.wh..wh..opq', ''), file('a', 'a'), file('b', 'b')]))
      await using rootfs = await b.mounter.prepareRootfs([below, opaque], { id: 'box', writable: b.writable })
      assert.deepEqual(await assertSame(rootfs), ['a', 'b'])
      const tar = packTarAtOnce(flattenLayers(rootfs, { omit: new Set(['a']) }))
      assert.deepEqual((await read(tar)).names, ['b'])
    })

    test('does not reach what is mounted on the tree, and stays whole while the tree changes', async () => {
      await using b = await bench(format)
      const layer = await b.add(
        await tarOf([
          directoryEntry('volume'),
          ...['a', 'b', 'c'].flatMap((one) => [directoryEntry(one), file(`${one}/1`, '1'), file(`${one}/2`, '2')]),
        ]),
      )
      await using rootfs = await b.mounter.prepareRootfs([layer], { id: 'box', writable: b.writable })
      mountTmpfs(join(rootfs.path, 'volume'))
      fs.writeFileSync(join(rootfs.path, 'volume', 'private'), 'p')
      fs.mkdirSync(join(rootfs.path, 'c/upper/below'), { recursive: true })
      const names: string[] = []
      for (const { entry } of flattenLayers(rootfs)) {
        names.push(entry.name)
        if (entry.name === 'a') fs.rmSync(join(rootfs.path, 'b'), { recursive: true })
        if (entry.name === 'c') fs.rmSync(join(rootfs.path, 'c'), { recursive: true })
      }
      unmount(join(rootfs.path, 'volume'))
      // Removed from a directory that had been listed: as it was. Removed when its turn came: nothing below it.
      assert.deepEqual(names, ['a', 'a/1', 'a/2', 'b', 'b/1', 'b/2', 'c', 'volume'])
    })
  })

test('a damaged image is reported with its layer', { skip: !mayMount() && 'needs CAP_SYS_ADMIN' }, async () => {
  await using b = await bench(erofs)
  const layer = await b.add(await tarOf([file('a', Buffer.alloc(100_000, 1)), file('b', 'b')]))
  await using rootfs = await b.mounter.prepareRootfs([layer], { id: 'box', writable: b.writable })
  const image = [...rootfs.images.values()][0]!
  const damaged = join(b.path, 'f'.repeat(64))
  fs.writeFileSync(damaged, fs.readFileSync(image).subarray(0, 50_000))
  const images = new Map([...rootfs.images.keys()].map((target) => [target, damaged]))
  assert.throws(() => Array.from(packTarAtOnce(flattenLayers({ ...rootfs, images }))), {
    code: 'STORE_DAMAGED',
    details: { digest: `sha256:${'f'.repeat(64)}`, path: damaged },
  })
})

async function bench(format: LayerFormat) {
  const temporary = await temporaryDirectory(tmpdir(), `merged-${format.name}-`)
  const records = new Map<Digest, LayerRecord>()
  return {
    path: temporary.path,
    mounter: createRootfs({
      run: join(temporary.path, 'run'),
      store: { layers: { ensureVerified: async (id) => records.get(id)! } },
    }),
    writable: { upper: join(temporary.path, 'upper'), work: join(temporary.path, 'work') },
    async add(tar: Uint8Array): Promise<Digest> {
      const directory = join(temporary.path, `layer-${records.size}`)
      fs.mkdirSync(directory)
      const written = await format.write(directory, one(tar))
      const record = { ...written, format: format.name, directory, contentSize: written.contentSize ?? 0, created: 0 }
      records.set(written.diffId, record)
      return written.diffId
    },
    async [Symbol.asyncDispose]() {
      for (const { target } of mountInfo().reverse())
        if (target.startsWith(`${temporary.path}/`)) unmount(target, { detach: true })
      await temporary[Symbol.asyncDispose]()
    },
  }
}

async function* one(tar: Uint8Array) {
  yield tar
}

/** Compares the two ways; returns the names. */
async function assertSame(rootfs: Rootfs): Promise<string[]> {
  const walked = await read(packTar(flatten(rootfs.path)))
  const merged = await read(packTarAtOnce(flattenLayers(rootfs)))
  const differing = walked.entries.findIndex((entry, index) => entry !== merged.entries[index])
  assert.equal(merged.entries[differing], walked.entries[differing])
  assert.equal(merged.digest, walked.digest)
  return merged.names
}

async function read(tar: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const hash = createHash('sha256')
  const entries: string[] = []
  const names: string[] = []
  const scanner = createTarScanner({
    onEntry(entry) {
      const xattrs = [...entry.xattrs].map(([name, value]) => [name, Buffer.from(value).toString('hex')])
      entries.push(JSON.stringify({ ...entry, xattrs }))
      names.push(entry.name)
    },
  })
  for await (const piece of tar) {
    hash.update(piece)
    scanner.push(piece)
  }
  scanner.end()
  return { digest: hash.digest('hex'), entries, names }
}
