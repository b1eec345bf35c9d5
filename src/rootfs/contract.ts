import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type PackedEntry, packTar } from '#format/tar'
import { mayMount, mknod, mountInfo, readXattr, unmount, writeXattr } from '#host'
import { temporaryDirectory } from '#host/file'
import type { Digest } from '#spec'
import type { LayerFormat, LayerRecord } from '#store'
import { describeTree, directoryEntry, file, link, tarOf } from '../../test/kit/layer-kit.ts'
import { changeset, diffKinds, flatten } from './changeset.ts'
import { createRootfs } from './create-rootfs.ts'

/** What every layer format must do, so that callers cannot tell which one it is. */
export function layerFormatContract(format: LayerFormat, parent: string): void {
  const skip = !mayMount() && 'needs CAP_SYS_ADMIN to mount'

  /** Layers in directories, as the store would keep them, and the mounter over them. */
  async function bench() {
    const temporary = await temporaryDirectory(parent, `rootfs-${format.name}-`)
    const records = new Map<Digest, LayerRecord>()
    const run = join(temporary.path, 'run')
    let count = 0
    async function add(tar: AsyncIterable<Uint8Array> | Uint8Array): Promise<LayerRecord> {
      const directory = join(temporary.path, `layer-${count++}`)
      fs.mkdirSync(directory)
      const stream = tar instanceof Uint8Array ? pieces(tar) : tar
      const written = await format.write(directory, stream)
      const record = { ...written, format: format.name, directory, contentSize: written.contentSize ?? 0, created: 0 }
      records.set(written.diffId, record)
      return record
    }
    const mounter = createRootfs({ run, store: { layers: { ensureVerified: async (id) => records.get(id)! } } })
    return {
      add,
      mounter,
      path: (name: string) => join(temporary.path, name),
      writable: (name: string) => ({
        upper: join(temporary.path, name, 'upper'),
        work: join(temporary.path, name, 'work'),
      }),
      async [Symbol.asyncDispose]() {
        for (const { target } of mountInfo().reverse())
          if (target.startsWith(`${temporary.path}/`)) unmount(target, { detach: true })
        await temporary[Symbol.asyncDispose]()
      },
    }
  }

  describe(`layer format ${format.name}`, { skip }, () => {
    test('shows the tree that tar extracts, and gives the exact tar back', async () => {
      await using b = await bench()
      const tree = b.path('tree')
      fs.mkdirSync(tree)
      makeTree(tree)
      const tarPath = b.path('tree.tar')
      execFileSync('tar', ['--format=pax', '--xattrs', '--xattrs-include=*', '-cf', tarPath, '-C', tree, '.'])
      const extracted = b.path('extracted')
      fs.mkdirSync(extracted)
      execFileSync('tar', ['-xp', '--xattrs', '--xattrs-include=*', '--numeric-owner', '-f', tarPath, '-C', extracted])
      const layer = await b.add(fs.readFileSync(tarPath))
      await using rootfs = await b.mounter.prepareRootfs([layer.diffId], { id: 'one', writable: false })
      assert.deepEqual(describeTree(rootfs.path), describeTree(extracted))
      assert.ok((await collect(format.openTar(layer.directory))).equals(fs.readFileSync(tarPath)))
      await format.verify(layer.directory, layer)
    })

    test('whiteouts and opaque directories hide what is below, in whatever order they come (T10)', async () => {
      await using b = await bench()
      const base = await b.add(
        await tarOf([
          directoryEntry('d'),
          file('d/old', 'old'),
          file('d/kept', 'kept'),
          directoryEntry('o'),
          file('o/hidden', 'h'),
          file('gone', 'gone'),
          file('replaced', 'below'),
          directoryEntry('becomes'),
          file('becomes/x', 'x'),
        ]),
      )
      for (const reversed of [false, true]) {
        const entries = [
          directoryEntry('d'),
          file('d/.wh.old', ''),
          directoryEntry('o'),
          file('o/.wh..wh..opq', ''),
          file('o/new', 'n'),
          file('.wh.gone', ''),
          file('.wh.replaced', ''),
          file('replaced', 'above'),
          file('.wh.becomes', ''),
          directoryEntry('becomes'),
        ]
        const upper = await b.add(await tarOf(reversed ? entries.toReversed() : entries))
        await using rootfs = await b.mounter.prepareRootfs([base.diffId, upper.diffId], {
          id: `w${reversed}`,
          writable: false,
        })
        const names = execFileSync('find', [rootfs.path, '-mindepth', '1', '-printf', '%P\\n'], { encoding: 'utf8' })
        assert.deepEqual(names.trim().split('\n').sort(), ['becomes', 'd', 'd/kept', 'o', 'o/new', 'replaced'])
        assert.equal(fs.readFileSync(join(rootfs.path, 'replaced'), 'utf8'), 'above')
      }
    })

    test('a layer whose root is opaque hides all layers below it (T10)', async () => {
      await using b = await bench()
      const base = await b.add(await tarOf([file('below', 'b')]))
      const upper = await b.add(await tarOf([file('above', 'a'), file('.wh..wh..opq', '')]))
      for (const writable of [false, b.writable('opq')] as const) {
        const layers = [base.diffId, upper.diffId]
        await using rootfs = await b.mounter.prepareRootfs(layers, { id: `opq-${writable === false}`, writable })
        assert.deepEqual(fs.readdirSync(rootfs.path), ['above'])
      }
    })

    test('entries of one name: the last wins, whatever the types; a directory keeps its children (T19)', async () => {
      await using b = await bench()
      const layer = await b.add(
        await tarOf([
          file('a', 'first'),
          directoryEntry('a'),
          file('a/x', 'x'),
          directoryEntry('./a', { mode: 0o700 }),
          directoryEntry('b'),
          file('b/lost', 'l'),
          file('b', 'file at last'),
          link('c', 'a'),
          file('./c', 'not a link'),
          file('small', '1'),
          file('small', '22'),
        ]),
      )
      await using rootfs = await b.mounter.prepareRootfs([layer.diffId], { id: 'dup', writable: false })
      assert.equal(fs.statSync(join(rootfs.path, 'a')).mode & 0o777, 0o700)
      const read = (name: string) => fs.readFileSync(join(rootfs.path, name), 'utf8')
      assert.deepEqual(['a/x', 'b', 'c', 'small'].map(read), ['x', 'file at last', 'not a link', '22'])
      await format.verify(layer.directory, layer)
    })

    test('a container writes beside its layers, and its changes come back as a layer (commit)', async () => {
      await using b = await bench()
      const base = await b.add(
        await tarOf([
          directoryEntry('./', { mode: 0o751, mtime: 5 }),
          directoryEntry('etc'),
          file('etc/conf', 'old', { mode: 0o640, mtime: 7 }),
          file('etc/gone', 'g'),
          directoryEntry('dir'),
          file('dir/below', 'b'),
          file('untouched', 'u'),
          link('l', 'untouched'),
        ]),
      )
      const before = describeTree(base.directory)
      const writable = b.writable('c1')
      await using rootfs = await b.mounter.prepareRootfs([base.diffId], { id: 'c1', writable })
      assert.equal(fs.statSync(rootfs.path).mode & 0o7777, 0o751, "the root has the image's mode")
      const at = (name: string) => join(rootfs.path, name)
      fs.appendFileSync(at('etc/conf'), ' and new')
      fs.rmSync(at('etc/gone'))
      fs.rmSync(at('dir'), { recursive: true })
      fs.mkdirSync(at('dir'))
      fs.writeFileSync(at('dir/above'), 'a')
      fs.mkdirSync(at('fresh/deep'), { recursive: true })
      fs.writeFileSync(at('fresh/one'), 'x'.repeat(10_000))
      fs.linkSync(at('fresh/one'), at('fresh/two'))
      fs.symlinkSync('../../..', at('fresh/up'))
      fs.writeFileSync(Buffer.concat([Buffer.from(at('fresh/')), Buffer.from([0xff, 0x80])]), 'bytes')
      mknod(at('fresh/null'), 0o020666, 1, 3)
      execFileSync('mkfifo', [at('fresh/fifo')])
      writeXattr(at('fresh/one'), 'user.note', Buffer.from('kept'))
      fs.chownSync(at('fresh/deep'), 70_000, 80_000)
      fs.mkdirSync(at('proc'))
      fs.writeFileSync(at('etc/hosts'), '')
      execFileSync('python3', [
        '-c',
        `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(at('sock'))})`,
      ])
      fs.utimesSync(at('fresh/one'), 1, -1.5)

      const options = { lowers: rootfs.lowers, exclude: ['/proc', 'etc/hosts'] }
      assert.deepEqual(
        diffKinds(writable.upper, options).map(({ path, kind }) => `${kind} ${path}`),
        [
          'C /dir',
          'A /dir/above',
          'D /dir/below',
          'C /etc',
          'C /etc/conf',
          'D /etc/gone',
          'A /fresh',
          'A /fresh/deep',
          'A /fresh/fifo',
          'A /fresh/null',
          'A /fresh/one',
          'A /fresh/two',
          'A /fresh/up',
          'A /fresh/\xff\x80',
          'A /sock',
        ],
      )
      const names: string[] = []
      for await (const { entry } of changeset(writable.upper, options)) {
        names.push(`${entry.type} ${entry.name}`)
        const books = [...(entry.xattrs?.keys() ?? [])].filter((name) => name.includes('overlay'))
        assert.deepEqual(books, [], 'the books of overlayfs stay where they are')
      }
      assert.deepEqual(names, [
        'directory dir',
        'file dir/.wh..wh..opq',
        'file dir/above',
        'directory etc',
        'file etc/conf',
        'file etc/.wh.gone',
        'directory fresh',
        'directory fresh/deep',
        'fifo fresh/fifo',
        'character fresh/null',
        'file fresh/one',
        'hardlink fresh/two',
        'symlink fresh/up',
        'file fresh/\xff\x80',
      ])

      const committed = await b.add(packTar(changeset(writable.upper, options)))
      const again = await b.add(packTar(changeset(writable.upper, options)))
      assert.equal(again.diffId, committed.diffId, 'the same changes give the same layer')
      await using second = await b.mounter.prepareRootfs([base.diffId, committed.diffId], { id: 'c2', writable: false })
      for (const stub of ['proc', 'etc/hosts', 'sock']) fs.rmSync(at(stub), { recursive: true })
      fs.utimesSync(at('etc'), 1, 1)
      const withoutTimeOfEtc = (lines: string[]) =>
        lines.map((line) => (line.startsWith('etc directory') ? line.replace(/ mtime=\S+/, '') : line))
      assert.deepEqual(withoutTimeOfEtc(describeTree(second.path)), withoutTimeOfEtc(describeTree(rootfs.path)))
      assert.deepEqual(describeTree(base.directory), before, 'no byte of the layer changed')
    })

    test('diff compares with what the layers show together, whiteouts and opaque directories included', async () => {
      await using b = await bench()
      const base = await b.add(
        await tarOf([
          file('gone', 'g'),
          file('d/hidden', 'h'),
          file('n/x', 'x'),
          directoryEntry('stays'),
          file('stays/f', 'f'),
        ]),
      )
      const middle = await b.add(
        await tarOf([file('.wh.gone', ''), directoryEntry('d'), file('d/.wh..wh..opq', ''), file('n', 'now a file')]),
      )
      const writable = b.writable('diff')
      const layers = [base.diffId, middle.diffId]
      await using rootfs = await b.mounter.prepareRootfs(layers, { id: 'diff', writable })
      const at = (name: string) => join(rootfs.path, name)
      fs.writeFileSync(at('gone'), 'again')
      fs.writeFileSync(at('d/hidden'), 'again')
      fs.rmSync(at('n'))
      fs.mkdirSync(at('n'))
      fs.writeFileSync(at('n/x'), 'again')
      fs.writeFileSync(at('stays/f'), 'changed')
      assert.deepEqual(
        diffKinds(writable.upper, { lowers: rootfs.lowers }).map(({ path, kind }) => `${kind} ${path}`),
        ['C /d', 'A /d/hidden', 'A /gone', 'C /n', 'A /n/x', 'C /stays', 'C /stays/f'],
      )
    })

    test('stubs of mount points alone are no change', async () => {
      await using b = await bench()
      const base = await b.add(await tarOf([directoryEntry('etc'), file('etc/conf', 'c')]))
      const writable = b.writable('stubs')
      await using rootfs = await b.mounter.prepareRootfs([base.diffId], { id: 'stubs', writable })
      fs.writeFileSync(join(rootfs.path, 'etc/hosts'), '')
      fs.mkdirSync(join(rootfs.path, 'dev/pts'), { recursive: true })
      const options = { lowers: rootfs.lowers, exclude: ['etc/hosts', 'dev', 'dev/pts'] }
      assert.deepEqual(await collectEntries(changeset(writable.upper, options)), [])
      assert.deepEqual(diffKinds(writable.upper, options), [])
      fs.writeFileSync(join(rootfs.path, 'etc/hosts'), 'written after all')
      assert.deepEqual(
        (await collectEntries(changeset(writable.upper, options))).map(({ entry }) => entry.name),
        ['etc', 'etc/hosts'],
      )
      fs.writeFileSync(join(rootfs.path, '.wh.conf'), '')
      await assert.rejects(collectEntries(changeset(writable.upper, options)), { code: 'INVALID_ARGUMENT' })
    })

    test('export flattens the mounted tree to a tar that extracts to the same', async () => {
      await using b = await bench()
      const one = await b.add(
        await tarOf([
          directoryEntry('d'),
          file('d/x', 'one'),
          file('y', 'y'.repeat(5000)),
          link('hard', 'y', 'hardlink'),
        ]),
      )
      const two = await b.add(
        await tarOf([directoryEntry('d'), file('d/x', 'two'), file('d/.wh.none', ''), link('s', 'd/x')]),
      )
      await using rootfs = await b.mounter.prepareRootfs([one.diffId, two.diffId], { id: 'flat', writable: false })
      const tar = await collect(packTar(flatten(rootfs.path)))
      const target = b.path('flat-out')
      fs.mkdirSync(target)
      fs.writeFileSync(b.path('flat.tar'), tar)
      execFileSync('tar', ['-xpf', b.path('flat.tar'), '-C', target])
      assert.deepEqual(describeTree(target), describeTree(rootfs.path))
      assert.deepEqual(
        execFileSync('tar', ['-tf', b.path('flat.tar')], { encoding: 'utf8' })
          .trim()
          .split('\n'),
        ['d/', 'd/x', 'hard', 's', 'y'],
      )
    })

    test('layers are mounted once, shared, hardened, and released when no overlay uses them', async () => {
      await using b = await bench()
      const shared = await b.add(
        await tarOf([file('shared', 's'), { entry: { name: 'suid', type: 'file', mode: 0o4755 } }]),
      )
      const other = await b.add(await tarOf([file('other', 'o')]))
      const mounts = () => mountInfo().filter(({ target }) => target.startsWith(b.path('run')))
      const first = await b.mounter.prepareRootfs([shared.diffId, other.diffId], {
        id: 'one',
        writable: b.writable('one'),
      })
      const second = await b.mounter.prepareRootfs([shared.diffId], { id: 'two', writable: b.writable('two') })
      const layersMounted = format.name === 'erofs' ? 2 : 0
      assert.equal(mounts().filter(({ type }) => type === 'erofs').length, layersMounted)
      for (const { options } of mounts().filter(({ type }) => type === 'erofs'))
        for (const option of ['ro', 'nosuid', 'nodev', 'noexec']) assert.ok(options.includes(option), option)
      assert.equal(fs.statSync(join(second.path, 'suid')).mode & 0o7777, 0o4755)
      assert.equal(await b.mounter.releaseUnused(), 0)
      await first[Symbol.asyncDispose]()
      assert.equal(await b.mounter.releaseUnused(), layersMounted / 2)
      assert.equal(fs.readFileSync(join(second.path, 'shared'), 'utf8'), 's')
      await b.mounter.release('two')
      await second[Symbol.asyncDispose]()
      await b.mounter.releaseUnused()
      assert.deepEqual(mounts(), [])
      assert.deepEqual(fs.readdirSync(b.path('run/rootfs')), [])
    })

    test('a prepared root file system is taken as it is, also by another process of ours', async () => {
      await using b = await bench()
      const layer = await b.add(await tarOf([file('x', 'x')]))
      const writable = b.writable('same')
      await using first = await b.mounter.prepareRootfs([layer.diffId], { id: 'same', writable })
      fs.writeFileSync(join(first.path, 'new'), 'n')
      await using second = await b.mounter.prepareRootfs([layer.diffId], { id: 'same', writable })
      assert.equal(fs.readFileSync(join(second.path, 'new'), 'utf8'), 'n')
      assert.equal(mountInfo().filter(({ target }) => target === first.path).length, 1)
    })

    test('a root file system that is used once can be mounted without syncs', async () => {
      await using b = await bench()
      const layer = await b.add(await tarOf([file('x', 'x')]))
      const writable = b.writable('once')
      await using rootfs = await b.mounter.prepareRootfs([layer.diffId], { id: 'once', writable, volatile: true })
      const { superOptions } = mountInfo().find(({ target }) => target === rootfs.path)!
      assert.ok(superOptions.some((option) => option === 'volatile' || option === 'fsync=volatile'))
      fs.writeFileSync(join(rootfs.path, 'new'), 'n', { flush: true })
      assert.equal(fs.readFileSync(join(writable.upper, 'new'), 'utf8'), 'n')
    })

    test('no layers, one layer twice, and 127 layers can be mounted (T25)', async () => {
      await using b = await bench()
      await using empty = await b.mounter.prepareRootfs([], { id: 'none', writable: b.writable('none') })
      fs.writeFileSync(join(empty.path, 'x'), 'x')
      await using bare = await b.mounter.prepareRootfs([], { id: 'bare', writable: false })
      assert.deepEqual(fs.readdirSync(bare.path), [])
      const layers: Digest[] = []
      for (let i = 0; i < 127; i++)
        layers.push((await b.add(await tarOf([file(`f${i}`, `${i}`), file('top', `${i}`)]))).diffId)
      layers.splice(5, 0, layers[3]!)
      await using rootfs = await b.mounter.prepareRootfs(layers, { id: 'many', writable: b.writable('many') })
      assert.equal(fs.readdirSync(rootfs.path).length, 128)
      assert.equal(fs.readFileSync(join(rootfs.path, 'top'), 'utf8'), '126')
    })

    test('hostile marks of overlayfs in a tar do not reach the kernel (T11)', async () => {
      await using b = await bench()
      const base = await b.add(await tarOf([directoryEntry('d'), file('d/below', 'b')]))
      const marks = new Map([
        ['trusted.overlay.opaque', Buffer.from('y')],
        ['trusted.overlay.redirect', Buffer.from('/etc')],
        ['user.overlay.opaque', Buffer.from('y')],
        ['user.kept', Buffer.from('k')],
      ])
      const upper = await b.add(await tarOf([directoryEntry('d', { xattrs: marks })]))
      await using rootfs = await b.mounter.prepareRootfs([base.diffId, upper.diffId], { id: 'marks', writable: false })
      assert.equal(fs.readFileSync(join(rootfs.path, 'd/below'), 'utf8'), 'b')
      assert.equal(Buffer.from(readXattr(join(rootfs.path, 'd'), 'user.kept')!).toString(), 'k')
      await assert.rejects(
        b.add(await tarOf([{ entry: { name: 'd', type: 'character', deviceMajor: 0, deviceMinor: 0 } }])),
        { code: 'INVALID_TAR' },
      )
    })

    test('damage is found', async () => {
      await using b = await bench()
      const layer = await b.add(await tarOf([file('x', 'x'.repeat(100_000)), file('y', 'small')]))
      await format.verify(layer.directory, layer)
      const victim = join(layer.directory, format.name === 'erofs' ? 'layer.erofs' : 'tree/x')
      const bytes = fs.readFileSync(victim)
      bytes[bytes.length >> 1]! ^= 1
      fs.writeFileSync(victim, bytes)
      await assert.rejects(format.verify(layer.directory, layer), { code: 'STORE_DAMAGED' })
      fs.rmSync(victim)
      await assert.rejects(format.verify(layer.directory, layer), { code: 'STORE_DAMAGED' })
    })

    test('a hostile or cut tar is refused (T01, T05, T07, T08, T21)', async () => {
      await using b = await bench()
      const bad: Record<string, Uint8Array> = {
        'a name with ..': await tarOf([file('../x', 'x')]),
        'the root as a link': await tarOf([link('.', '/etc')]),
        'a link to itself': await tarOf([link('a', './a', 'hardlink')]),
        'a link to nothing': await tarOf([link('a', 'b', 'hardlink')]),
        'a malformed whiteout': await tarOf([file('d/.wh...', '')]),
        cut: (await tarOf([file('x', 'x'.repeat(5000))])).subarray(0, 3000),
      }
      for (const [what, tar] of Object.entries(bad)) await assert.rejects(b.add(tar), { code: 'INVALID_TAR' }, what)
    })
  })
}

function makeTree(root: string): void {
  const at = (name: string) => join(root, name)
  fs.mkdirSync(at('sizes'))
  for (const size of [0, 1, 4031, 4032, 4033, 4096, 70_000]) fs.writeFileSync(at(`sizes/${size}`), 'x'.repeat(size))
  fs.linkSync(at('sizes/1'), at('hard'))
  fs.linkSync(at('sizes/70000'), at('hard-large'))
  fs.symlinkSync('sizes/1', at('soft'))
  fs.mkdirSync(at('sticky'))
  fs.chmodSync(at('sticky'), 0o1777)
  fs.chownSync(at('sizes/4096'), 12, 4_000_000_000)
  fs.chmodSync(at('sizes/4096'), 0o4755)
  execFileSync('mkfifo', [at('fifo')])
  mknod(at('null'), 0o020666, 1, 3)
  writeXattr(at('sizes/4096'), 'security.capability', Buffer.from('AQAAAgAgAAAAAAAAAAAAAAAAAAA=', 'base64'))
  writeXattr(at('sizes'), 'user.x', Buffer.from('value'))
  for (const name of ['é', 'new\nline', '-x']) fs.writeFileSync(at(name), name)
  fs.utimesSync(at('é'), 1, -5.25)
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000)
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const bytes of stream) parts.push(Buffer.from(bytes))
  return Buffer.concat(parts)
}

async function collectEntries(entries: Iterable<PackedEntry>): Promise<PackedEntry[]> {
  const all: PackedEntry[] = []
  for (const entry of entries) all.push(entry)
  return all
}
