import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { packTar } from '#format/tar'
import { openRoot } from '#host'
import { cannotRunContainers } from '../../../test/kit/busybox-rootfs.ts'
import { containerMachine } from '../../../test/kit/container-machine.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { until } from '../../../test/kit/until.ts'
import { packPath } from '../archive/pack-path.ts'
import { unpackTar } from '../archive/unpack-tar.ts'
import {
  copyFromContainer,
  copyIntoContainer,
  readContainerPath,
  statContainerPath,
  writeContainerPath,
} from './container-files.ts'
import { copyPlan } from './copy-plan.ts'

const skip = cannotRunContainers()
const timeout = 240_000

test("copy follows docker's rules about what is at the destination", () => {
  const file = { name: 'f', isDirectory: false, contentsOnly: false }
  const directory = { name: 'd', isDirectory: true, contentsOnly: false }
  const contents = { ...directory, contentsOnly: true }
  const cases: [string, Parameters<typeof copyPlan>, ReturnType<typeof copyPlan> | RegExp][] = [
    ['a file to a new name', [file, { path: '/x/y', kind: 'nothing' }], { directory: '/x', name: 'y' }],
    ['a file onto a file', [file, { path: '/x/y', kind: 'file' }], { directory: '/x', name: 'y' }],
    ['a file into a directory', [file, { path: '/x', kind: 'directory' }], { directory: '/x', name: 'f' }],
    ['a file into a missing directory', [file, { path: '/x/', kind: 'nothing' }], /no such directory: \/x\//],
    ['a file onto a file as a directory', [file, { path: '/x/', kind: 'file' }], /no such directory: \/x\//],
    ['a directory to a new name', [directory, { path: '/x/y', kind: 'nothing' }], { directory: '/x', name: 'y' }],
    ['a directory into a directory', [directory, { path: '/x/', kind: 'directory' }], { directory: '/x', name: 'd' }],
    ['a directory onto a file', [directory, { path: '/x', kind: 'file' }], /cannot copy directory/],
    ['contents into a directory', [contents, { path: '/x', kind: 'directory' }], { directory: '/x', name: undefined }],
    ['contents to a new name', [contents, { path: '/x/y', kind: 'nothing' }], { directory: '/x', name: 'y' }],
  ]
  for (const [what, args, expected] of cases) {
    if (expected instanceof RegExp) assert.throws(() => copyPlan(...args), expected, what)
    else assert.deepEqual(copyPlan(...args), expected, what)
  }
})

test('R04 a link in the container resolves inside the container only, running or stopped', {
  skip,
  timeout,
}, async () => {
  await using machine = await containerMachine()
  const { machinery, directory } = machine
  const script =
    'mkdir /d; echo mine > /etc/passwd; ln -s /etc/passwd /d/absolute; ln -s ../../../../etc/passwd /d/up; ln -s /etc /d/etc; exec sleep 1000'
  const { id } = await machine.create(machine.options(['sh', '-c', script]))
  const { monitored } = await machine.start(id)
  const commandLine = `/proc/${monitored!.process.pid}/cmdline`
  await until('its links are made', () => readFileSync(commandLine, 'latin1').startsWith('sleep\0'))
  const hostPasswd = readFileSync('/etc/passwd', 'utf8')
  const { stopContainer } = await import('../manager/stop.ts')
  for (const state of ['running', 'stopped']) {
    for (const link of ['absolute', 'up']) {
      const copy = join(directory, `${state}-${link}`)
      await copyFromContainer(machinery, id, `/d/${link}`, copy, { follow: true })
      assert.equal(readFileSync(copy, 'utf8'), 'mine\n', `${state} ${link}`)
    }
    writeFileSync(join(directory, 'new'), `from outside, ${state}`)
    await copyIntoContainer(machinery, id, join(directory, 'new'), '/d/etc/')
    assert.equal(existsSync('/etc/new'), false)
    const copied = join(directory, `etc-${state}`)
    await copyFromContainer(machinery, id, '/etc/new', copied)
    assert.equal(readFileSync(copied, 'utf8'), `from outside, ${state}`)
    if (state === 'running') await stopContainer(machinery, id, { timeout: 0 })
  }
  assert.equal(readFileSync('/etc/passwd', 'utf8'), hostPasswd)
})

test('R04 a directory that is swapped for a link all the time never leads a copy outside', { timeout }, async () => {
  await using directory = await temporaryDirectory('bale-race')
  const inside = join(directory.path, 'root')
  const outside = join(directory.path, 'outside')
  for (const path of [join(inside, 'd'), outside]) mkdirSync(path, { recursive: true })
  writeFileSync(join(outside, 'secret'), 'secret')
  writeFileSync(join(inside, 'd', 'plain'), 'plain')
  const swap = `cd ${inside}; ln -s ${outside} l; while :; do mv d e; mv l d; mv d l; mv e d; done`
  const swapper = spawn('/bin/sh', ['-c', swap], { stdio: 'ignore' })
  try {
    using root = openRoot(inside)
    for (let turn = 0; turn < 200; turn++) {
      try {
        const chunks: Uint8Array[] = []
        for await (const chunk of packPath(root, '/d', 'd')) chunks.push(chunk)
        assert.equal(Buffer.concat(chunks).includes('secret'), false)
        const tar = packTar([{ entry: { name: 'd/new', type: 'file', size: 0 } }])
        await unpackTar(root, tar, { directory: '/', keepNames: true, strict: false })
      } catch (error) {
        const expected = [
          'ENOENT',
          'ENOTDIR',
          'EEXIST',
          'ELOOP',
          'PATH_NOT_FOUND',
          'EXDEV',
          'EAGAIN',
          'INVALID_ARGUMENT',
        ]
        assert.ok(expected.includes(String((error as { code?: string }).code)), String(error))
      }
      assert.deepEqual(readdirSync(outside), ['secret'])
    }
  } finally {
    swapper.kill('SIGKILL')
    await new Promise((resolve) => swapper.once('close', resolve))
  }
})

test('hostile tars are refused: `..`, device 0:0, attributes of overlayfs, hard links to outside', async () => {
  await using directory = await temporaryDirectory('bale-unpack')
  using root = openRoot(directory.path)
  const unpack = (
    entry: Parameters<typeof packTar>[0] extends infer T ? (T extends Iterable<infer E> ? E : never) : never,
  ) => unpackTar(root, packTar([entry]), { directory: '/', keepNames: true })
  const overlay = new Map([['trusted.overlay.opaque', Buffer.from('y')]])
  await assert.rejects(unpack({ entry: { name: '../up', type: 'directory' } }), (error) =>
    isBaleError(error, 'INVALID_TAR'),
  )
  await assert.rejects(unpack({ entry: { name: 'dev', type: 'character' } }), /device 0:0/)
  await assert.rejects(unpack({ entry: { name: 'x', type: 'directory', xattrs: overlay } }), /trusted\.overlay\.opaque/)
  await assert.rejects(
    unpack({ entry: { name: 'h', type: 'hardlink', linkName: '../../etc/passwd' } }),
    /INVALID_TAR|outside/,
  )
  symlinkSync('/etc', join(directory.path, 'link'))
  await unpack({ entry: { name: 'link/inside', type: 'file', size: 0 } }).catch((error: { code: string }) =>
    assert.equal(error.code, 'INVALID_ARGUMENT'),
  )
  assert.equal(existsSync('/etc/inside'), false)
})

test('owners, modes, times and volumes survive a copy out and in again', { skip, timeout }, async () => {
  await using machine = await containerMachine()
  const { machinery, directory } = machine
  const host = { network: 'none', mounts: [{ type: 'volume' as const, source: 'data', target: '/data' }] }
  const script =
    'mkdir /data/d; echo 1 > /data/d/f; chown 5:6 /data/d/f; chmod 4751 /data/d/f; touch -d @1000000000 /data/d/f'
  const { id } = await machine.run(machine.options(['sh', '-c', script], {}, host))
  await copyFromContainer(machinery, id, '/data/d', join(directory, 'out'), { archive: true })
  const stats = statSync(join(directory, 'out/f'))
  assert.deepEqual([stats.uid, stats.gid, stats.mode & 0o7777, stats.mtimeMs], [5, 6, 0o4751, 1e12])
  await copyIntoContainer(machinery, id, join(directory, 'out'), '/data/again')
  const stat = await statContainerPath(machinery, id, '/data/again/f')
  assert.deepEqual([stat.name, stat.size, stat.mode, stat.type], ['f', 2, 0o4751, 'file'])
  const volume = machine.store.volumes.directory('data')
  assert.equal(statSync(join(volume, 'again/f')).uid, 0, 'without --archive files belong to root')
  // Read to its end first: a stopped container is locked while one of the two is at work.
  const tar: Uint8Array[] = []
  for await (const chunk of readContainerPath(machinery, id, '/data/d/f')) tar.push(chunk)
  await writeContainerPath(machinery, id, '/data', Readable.from(tar))
  assert.equal(readFileSync(join(volume, 'f'), 'utf8'), '1\n')
  await assert.rejects(statContainerPath(machinery, id, '/nope'), (error) => isBaleError(error, 'PATH_NOT_FOUND'))
})
