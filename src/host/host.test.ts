import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isBaleError } from '#base'
import { readTextSync, removeTree, siblingModule, temporaryDirectory } from './file/index.ts'
import {
  bindMountAt,
  isMounted,
  lchown,
  mayMount,
  mknod,
  mountErofs,
  mountInfo,
  mountOverlay,
  mountTmpfs,
  openRoot,
  probeMounts,
  readXattr,
  readXattrs,
  unmount,
  utimensat,
  writeXattr,
} from './index.ts'
import { AT_FDCWD, flock, LOCK, SystemError } from './kernel/syscalls.ts'
import { parseMountInfo } from './mount-info.ts'
import { mountOverlayByOptions } from './mount-overlay-by-options.ts'

const root = mayMount() ? false : 'needs CAP_SYS_ADMIN'

function erofsImage(path: string, files: Record<string, string>, t: TestContext): boolean {
  const tree = `${path}.tree`
  mkdirSync(tree)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(tree, name), text)
  try {
    execFileSync('mkfs.erofs', [path, tree], { stdio: 'ignore' })
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
    t.skip('needs mkfs.erofs (erofs-utils)')
    return false
  }
  return true
}

test('a layer image is mounted from its file, read-only and without rights', { skip: root }, async (t) => {
  await using directory = await temporaryDirectory(tmpdir())
  const image = join(directory.path, 'image')
  const target = join(directory.path, 'target')
  mkdirSync(target)
  if (!erofsImage(image, { hello: 'world' }, t)) return
  mountErofs(image, target)
  try {
    assert.equal(readFileSync(join(target, 'hello'), 'utf8'), 'world')
    const mount = mountInfo().find((one) => one.target === target)!
    assert.equal(mount.type, 'erofs')
    for (const option of ['ro', 'nosuid', 'nodev', 'noexec']) assert.ok(mount.options.includes(option), option)
    await assert.rejects(removeTree(directory.path), (error) => isBaleError(error, 'CONFLICT'))
  } finally {
    unmount(target)
  }
  assert.equal(isMounted(target), false)
})

test('a layer image on tmpfs is mounted through a loop device that frees itself', { skip: root }, async (t) => {
  await using directory = await temporaryDirectory(tmpdir())
  const [memory, target] = [join(directory.path, 'memory'), join(directory.path, 'target')]
  mkdirSync(memory)
  mkdirSync(target)
  mountTmpfs(memory, 'size=8m')
  try {
    const image = join(memory, 'image')
    if (!erofsImage(image, { hello: 'loop' }, t)) return
    mountErofs(image, target)
    const source = mountInfo().find((one) => one.target === target)!.source
    assert.match(source, /^\/dev\/loop\d+$/)
    assert.equal(readFileSync(join(target, 'hello'), 'utf8'), 'loop')
    unmount(target)
    assert.equal(readLoopFile(source), undefined)
  } finally {
    unmount(target)
    unmount(memory, { detach: true })
  }
})

function readLoopFile(device: string): string | undefined {
  try {
    return readTextSync(`/sys/block/${device.slice(5)}/loop/backing_file`)
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw error
  }
}

test('garbage is refused by the kernel with MOUNT_FAILED', { skip: root }, async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const image = join(directory.path, 'image')
  writeFileSync(image, Buffer.alloc(8192))
  mkdirSync(join(directory.path, 'target'))
  assert.throws(
    () => mountErofs(image, join(directory.path, 'target')),
    (error) => (isBaleError(error, 'MOUNT_FAILED') ? /EINVAL|EFSCORRUPTED|EUCLEAN/.test(error.message) : false),
  )
})

test('an overlay of 500 lowers with long names is mounted, 501 are refused', { skip: root }, async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const at = (name: string) => join(directory.path, name)
  for (const name of ['upper', 'work', 'target']) mkdirSync(at(name))
  const lowers = Array.from({ length: 500 }, (_, index) => at(`${'x'.repeat(64)}${index}`))
  for (const [index, lower] of lowers.entries()) {
    mkdirSync(lower)
    writeFileSync(join(lower, `file${index}`), '')
    writeFileSync(join(lower, 'same'), String(index))
  }
  const overlay = { lowers, upper: at('upper'), work: at('work'), target: at('target') }
  mountOverlay(overlay)
  try {
    assert.equal(readdirSync(at('target')).length, 501)
    assert.equal(readFileSync(at('target/same'), 'utf8'), '0')
    writeFileSync(at('target/new'), 'written')
    assert.equal(readFileSync(at('upper/new'), 'utf8'), 'written')
  } finally {
    unmount(at('target'))
  }
  assert.throws(
    () => mountOverlay({ ...overlay, lowers: [...lowers, at('lower')] }),
    (error) => isBaleError(error, 'MOUNT_FAILED'),
  )
})

test('names with commas, colons and more than 255 bytes are no trouble, old way and new', { skip: root }, async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const at = (name: string) => join(directory.path, name)
  const deep = at(`${'d'.repeat(200)}/${'e'.repeat(100)}`)
  const odd = at('a,b:c\\d')
  for (const name of [deep, odd, at('target')]) mkdirSync(name, { recursive: true })
  writeFileSync(join(odd, 'file'), 'odd')
  writeFileSync(join(deep, 'deep'), 'deep')
  for (const way of [mountOverlay, mountOverlayByOptions]) {
    way({ lowers: [odd, deep], target: at('target'), readOnly: true })
    try {
      assert.deepEqual(readdirSync(at('target')).sort(), ['deep', 'file'])
    } finally {
      unmount(at('target'))
    }
  }
})

test('without lowerdir+ a hundred lowers are mounted by names relative to their directory', {
  skip: root,
}, async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const home = process.cwd()
  const lowers = Array.from({ length: 100 }, (_, index) => join(directory.path, 'layers', `${index}`))
  for (const lower of lowers) mkdirSync(lower, { recursive: true })
  const target = join(directory.path, 't'.repeat(200))
  mkdirSync(target)
  const long = lowers.map((lower) => lower.replace('/layers/', `/${'./'.repeat(20)}layers/`))
  mountOverlayByOptions({ lowers: long, target, readOnly: true, nosuid: true })
  const { options } = mountInfo().find((mount) => mount.target === target)!
  unmount(target)
  assert.deepEqual(
    ['ro', 'nosuid', 'nodev'].map((word) => options.includes(word)),
    [true, true, false],
  )
  assert.equal(process.cwd(), home)
})

test('what the kernel says about a refused overlay is in the message', { skip: root }, async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const target = join(directory.path, 'target')
  mkdirSync(target)
  assert.throws(
    () => mountOverlay({ lowers: [join(directory.path, 'missing')], target }),
    (error) => (isBaleError(error, 'MOUNT_FAILED') ? error.message.includes('ENOENT') : false),
  )
  assert.throws(
    () => mountOverlay({ lowers: [directory.path], target, options: { nonsense: 'x' } }),
    (error) => (isBaleError(error, 'MOUNT_FAILED') ? error.message.includes('nonsense') : false),
  )
})

test('a read-only bind mount at a descriptor refuses writes and leaves with unmount', { skip: root }, async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const [source, target] = [join(directory.path, 'source'), join(directory.path, 'target with space')]
  mkdirSync(source)
  mkdirSync(target)
  const place = openSync(target, 'r')
  try {
    bindMountAt(source, place, { readOnly: true })
    assert.equal(isMounted(target), true)
    assert.throws(() => writeFileSync(join(target, 'x'), ''), { code: 'EROFS' })
    writeFileSync(join(source, 'x'), '')
  } finally {
    closeSync(place)
    unmount(target, { detach: true })
  }
  assert.equal(isMounted(target), false)
  unmount(target)
})

test('mountinfo with optional fields and escapes is read', () => {
  const line = '36 35 98:0 /a\\040b /mnt\\134x rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n'
  assert.deepEqual(parseMountInfo(line), [
    {
      id: 36,
      parent: 35,
      device: '98:0',
      root: '/a b',
      target: '/mnt\\x',
      options: ['rw', 'noatime'],
      propagation: ['master:1', 'shared:2'],
      type: 'ext3',
      source: '/dev/root',
      superOptions: ['rw', 'errors=continue'],
    },
  ])
})

test('R04 no path leads out of a root directory: .., absolute links, magic links', async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const inside = join(directory.path, 'root')
  mkdirSync(join(inside, 'etc'), { recursive: true })
  writeFileSync(join(inside, 'etc/passwd'), 'inside')
  writeFileSync(join(directory.path, 'secret'), 'outside')
  symlinkSync('/etc/passwd', join(inside, 'absolute'))
  symlinkSync('../../../../../../etc', join(inside, 'up'))
  symlinkSync('../secret', join(inside, 'sibling'))
  symlinkSync('/proc/self/root', join(inside, 'magic'))
  using beneath = openRoot(inside)
  const read = (path: string) => {
    const fd = beneath.open(path)
    try {
      return readFileSync(fd, 'utf8')
    } finally {
      closeSync(fd)
    }
  }
  assert.equal(read('absolute'), 'inside')
  assert.equal(read('/up/passwd'), 'inside')
  assert.equal(read('../../etc/passwd'), 'inside')
  assert.throws(() => read('sibling'), { code: 'ENOENT' })
  assert.throws(() => read('magic/etc/passwd'), { code: 'ENOENT' })
  beneath.mkdir('up/made')
  assert.ok(statSync(join(inside, 'etc/made')).isDirectory())
  assert.throws(() => beneath.unlink('../secret'), { code: 'ENOENT' })
  assert.equal(readFileSync(join(directory.path, 'secret'), 'utf8'), 'outside')
})

test('entries are made, changed and removed inside a root directory', { skip: root }, async () => {
  await using directory = await temporaryDirectory(tmpdir())
  using beneath = openRoot(directory.path)
  assert.equal(beneath.mkdirAll('/a/b/c').length, 3)
  assert.equal(beneath.mkdirAll('/a/b/c').length, 0)
  closeSync(beneath.open('a/file', constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o640))
  beneath.symlink('file', 'a/link')
  beneath.link('a/file', 'a/hard')
  beneath.mknod('a/null', 0o020666, 1, 3)
  beneath.chown('a/link', 12, 34)
  beneath.utimes('a/file', { seconds: 1, nanoseconds: 2 }, { seconds: -5, nanoseconds: 999_999_999 })
  assert.equal(beneath.stat('a/link').ino, beneath.stat('a/hard').ino)
  assert.equal(beneath.stat('a/link', { follow: false }).uid, 12)
  assert.equal(beneath.stat('a/file').uid, 0)
  assert.equal(beneath.readlink('a/link').toString(), 'file')
  assert.equal(beneath.stat('a/null').rdev, 0x103)
  beneath.withEntry('a/link', (path) => assert.equal(readXattr(path, 'trusted.x'), undefined))
  assert.throws(() => beneath.rename('a/file', 'a/null', { replace: false }), { code: 'EEXIST' })
  beneath.rename('a/file', 'a/b/moved')
  assert.deepEqual(beneath.readdir('a').map(String).sort(), ['b', 'hard', 'link', 'null'])
  assert.equal(beneath.statIfThere('a/file/x'), undefined)
  beneath.removeAll('a')
  beneath.removeAll('a')
  assert.deepEqual(readdirSync(directory.path), [])
})

test('extended attributes keep every byte', { skip: root }, async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const file = Buffer.concat([Buffer.from(`${directory.path}/`), Buffer.of(0xe9)])
  writeFileSync(file, '')
  const value = Buffer.from([0, 1, 0xff, 0])
  writeXattr(file, 'trusted.overlay.opaque', Buffer.from('y'))
  writeXattr(file, 'user.b\xe9', value)
  writeXattr(file, 'user.empty', new Uint8Array())
  const all = readXattrs(file)
  assert.deepEqual([...all.keys()].sort(), ['trusted.overlay.opaque', 'user.b\xe9', 'user.empty'])
  assert.deepEqual(Buffer.from(all.get('user.b\xe9')!), value)
  assert.equal(readXattr(file, 'user.empty')?.length, 0)
  assert.equal(readXattr(file, 'user.missing'), undefined)
})

test('owner, nanoseconds and devices by path; failures carry errno and call', { skip: root }, async () => {
  await using directory = await temporaryDirectory(tmpdir())
  const at = (name: string) => join(directory.path, name)
  mknod(at('device'), 0o060600, 259, 70_000)
  assert.equal(execFileSync('stat', ['-c', '%t %T', at('device')], { encoding: 'utf8' }), '103 11170\n')
  symlinkSync('nowhere', at('link'))
  lchown(at('link'), 7, 8)
  utimensat(AT_FDCWD, at('link'), { seconds: 1, nanoseconds: 0 }, { seconds: 1_700_000_000, nanoseconds: 123_456_789 })
  assert.equal(execFileSync('stat', ['-c', '%u %.Y', at('link')], { encoding: 'utf8' }), '7 1700000000.123456789\n')
  assert.throws(
    () => mknod(at('device'), 0o100644),
    (error) => {
      assert.ok(error instanceof SystemError)
      assert.equal(error.code, 'EEXIST')
      assert.equal(error.syscall, 'mknodat')
      return true
    },
  )
  assert.throws(() => openRoot('/tmp\0/x'), { code: 'EINVAL' })
})

test('why a call failed is read before the engine can do anything else', (t) => {
  const AsBefore = globalThis.Number
  t.after(() => {
    globalThis.Number = AsBefore
  })
  // Stands for what the engine itself may do between two steps of JavaScript: it leaves ENOENT behind.
  globalThis.Number = new Proxy(AsBefore, {
    apply(target, self, args) {
      existsSync('/no such file')
      return Reflect.apply(target, self, args)
    },
  })
  assert.throws(() => flock(-1, LOCK.EXCLUSIVE), { code: 'EBADF', syscall: 'flock' })
})

test('the features of the kernel are tried, not guessed', { skip: root }, async (t) => {
  await using directory = await temporaryDirectory(tmpdir())
  const prepared = join(directory.path, 'prepared')
  if (!erofsImage(prepared, {}, t)) return
  const features = await probeMounts(directory.path, { bytes: readFileSync(prepared) })
  assert.ok(features.erofs === 'file' || features.erofs === 'loop')
  assert.equal(features.overlay, true)
  const broken = await probeMounts(directory.path, { bytes: Buffer.alloc(8192) })
  assert.equal(broken.erofs, undefined)
  assert.deepEqual(readdirSync(directory.path).sort(), ['prepared', 'prepared.tree'])
})

test('importing the room loads no native code', () => {
  const url = new URL('./index.ts', import.meta.url).href
  const code = `await import(${JSON.stringify(url)}); console.log(Object.keys(process.report.getReport().sharedObjects.filter((name) => name.includes('koffi'))).length)`
  const arguments_ = ['--conditions=source', '--input-type=module', '-e', code]
  assert.equal(execFileSync(process.execPath, arguments_, { encoding: 'utf8' }), '0\n')
})

test('a sibling module has the extension of the asking one', () => {
  assert.equal(siblingModule('file:///x/src/a.ts', './worker'), 'file:///x/src/worker.ts')
  assert.equal(siblingModule('file:///x/dist/a.js', './worker'), 'file:///x/dist/worker.js')
})

test('a tree that is deeper than descriptors may be many is removed through its root (T29)', () => {
  const directory = mkdtempSync(join(tmpdir(), 'deep-'))
  try {
    using beneath = openRoot(directory)
    mkdirSync(join(directory, 'deep/kept'), { recursive: true })
    const limit = 1500
    const script = `cd deep; i=0; while [ $i -lt ${limit} ]; do mkdir d && cd -P d && : > f || exit 1; i=$((i+1)); done`
    execFileSync('/bin/sh', ['-c', script], { cwd: directory })
    symlinkSync('/etc', join(directory, 'deep/kept/link'))
    beneath.removeAll('deep')
    assert.deepEqual(readdirSync(directory), [])
    assert.ok(existsSync('/etc/passwd'))
  } finally {
    execFileSync('rm', ['-rf', directory])
  }
})
