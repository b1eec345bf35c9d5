import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { errnoOf } from '#base'
import { execute, type TestBale, testBale } from '../kit/bale.ts'
import { busyboxTar } from '../kit/busybox.ts'
import { layerVerbs } from './layer-verbs.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }

/** A bale whose store is to lie below `<directory>/disk`, where the caller mounts something; format and runtime are its own. */
const onDisk = (more: Record<string, string> = {}) =>
  testBale({
    environment: (directory) => ({ BALE_ROOT: `${directory}/disk/root`, BALE_SNAPSHOTTER: 'auto', ...more }),
  })

async function mountAt(bale: TestBale, args: readonly string[]): Promise<void> {
  const disk = join(bale.directory, 'disk')
  mkdirSync(disk)
  const mounted = await execute('mount', [...args, disk])
  assert.equal(mounted.code, 0, mounted.stderr)
}

const formatOf = (bale: TestBale) => bale.run(['info', '--format', '{{.Driver}}'])

/** Loop devices over files below a directory. */
function loopDevicesBelow(directory: string): string[] {
  return readdirSync('/sys/block')
    .filter((name) => name.startsWith('loop'))
    .map((name) => backingFile(`/sys/block/${name}/loop/backing_file`))
    .filter((path) => path.startsWith(`${directory}/disk/`))
}

/** Empty for a device without a file. A device of another test may lose its file at any time. */
function backingFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (!['ENOENT', 'ENODEV', 'ENXIO'].includes(errnoOf(error) ?? '')) throw error
    return ''
  }
}

const tmpfs = ['-t', 'tmpfs', '-o', 'size=200m', 'tmpfs']

test(
  'a store on tmpfs mounts its layers by loop devices, all of which are free at the end',
  options,
  async (context) => {
    if (!existsSync('/dev/loop-control')) return context.skip('there are no loop devices here')
    await using bale = await onDisk()
    await mountAt(bale, tmpfs)
    assert.equal(await formatOf(bale), 'erofs')
    await layerVerbs(bale)
    assert.deepEqual(loopDevicesBelow(bale.directory), [])
  },
)

test(
  'without loop devices a store on tmpfs extracts its layers; erofs by name is refused with a way out',
  options,
  async () => {
    await using bale = await onDisk()
    await mountAt(bale, tmpfs)
    const { environment } = bale
    const without = (args: string) =>
      execute(
        'unshare',
        ['-m', 'sh', '-c', `mount --bind /dev/null /dev/loop-control && exec ${process.cwd()}/bin/bale ${args}`],
        { env: environment },
      )
    const refused = await without('--snapshotter erofs images')
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /^bale: EROFS images in .*disk\/root cannot be mounted here\nhint: .*--snapshotter extract/,
    )
    const information = await without(`info --format '{{.Driver}}'`)
    assert.equal(information.stdout, 'extract\n', information.stderr)
    // The answer is remembered until the next boot.
    assert.equal(await formatOf(bale), 'extract')
    await layerVerbs(bale)
  },
)

test(
  'layers on a disk are mounted by loop devices where that is wanted, and free them at the end',
  options,
  async (context) => {
    if (!existsSync('/dev/loop-control')) return context.skip('there are no loop devices here')
    await using bale = await onDisk({ BALE_SNAPSHOTTER: 'erofs', BALE_LAYER_MOUNTS: 'loop' })
    assert.match(await bale.run(['info']), /^Layer Mounts: loop device \(as configured\)$/m)
    const facts = JSON.parse(await bale.run(['info', '--format', 'json'])) as Record<string, unknown>
    assert.deepEqual([facts['LayerMounts'], facts['LayerMountsReason']], ['loop', 'as configured'])
    const work = join(bale.directory, 'work')
    mkdirSync(work)
    await bale.run(['import', busyboxTar(work), 'held:1'])
    await bale.run(['run', '-d', '--name', 'holder', '--network', 'none', 'held:1', 'sleep', '1000'])
    assert.equal(loopDevicesBelow(bale.directory).length, 1)
    await bale.run(['rm', '-f', 'holder'])
    await bale.run(['rmi', 'held:1'])
    await layerVerbs(bale)
    assert.deepEqual(loopDevicesBelow(bale.directory), [])
  },
)

test('an unknown way to mount layers is refused', options, async () => {
  await using bale = await testBale({ environment: () => ({ BALE_LAYER_MOUNTS: 'fuse' }) })
  const refused = await bale.try(['info'])
  assert.match(refused.stderr, /unknown layerMounts: fuse\nhint: one of: auto, file, loop/)
})

for (const [fs, make] of [
  ['ext4', ['mkfs.ext4', '-q', '-F']],
  ['xfs', ['mkfs.xfs', '-q', '-f']],
  ['btrfs', ['mkfs.btrfs', '-q', '-f']],
] as const) {
  test(`a store on ${fs} works, and mounts its layers straight from their files`, options, async (context) => {
    await using bale = await onDisk()
    const image = join(bale.directory, 'disk.img')
    writeFileSync(image, '')
    truncateSync(image, 400 << 20)
    const [program, ...flags] = make
    const made = await execute('/bin/sh', ['-c', `command -v ${program} && ${program} ${flags.join(' ')} '${image}'`])
    if (made.stdout === '') return context.skip(`${program} is not installed`)
    assert.equal(made.code, 0, made.stderr)
    const known = await execute('/bin/sh', ['-c', `modprobe ${fs} 2>/dev/null; grep -w ${fs} /proc/filesystems`])
    if (known.code !== 0) return context.skip(`this kernel has no ${fs}`)
    await mountAt(bale, ['-o', 'loop', image])
    assert.equal(await formatOf(bale), 'erofs')
    await layerVerbs(bale)
    assert.deepEqual(loopDevicesBelow(bale.directory), [])
  })
}

test('a store on overlayfs keeps and moves images, and says why no container can write there', options, async () => {
  await using bale = await onDisk()
  for (const name of ['lower', 'upper', 'work']) mkdirSync(join(bale.directory, name))
  const { directory } = bale
  const layers = `lowerdir=${directory}/lower,upperdir=${directory}/upper,workdir=${directory}/work`
  await mountAt(bale, ['-t', 'overlay', 'overlay', '-o', layers])
  await using place = await prepared()
  const archive = join(directory, 'image.tar')
  await place.bale.run(['save', '-o', archive, 'busybox:1'])
  await bale.run(['load', '-i', archive])
  const again = `${archive}.again`
  await bale.run(['save', '-o', again, 'busybox:1'])
  assert.ok(readFileSync(archive).equals(readFileSync(again)))
  const refused = await bale.try(['run', '--rm', 'busybox:1', 'true'])
  assert.equal(refused.code, 125)
  assert.match(refused.stderr, /^bale: containers cannot write to .*: it is on overlayfs\nhint: .*--root DIRECTORY/)
  writeFileSync(join(directory, 'Dockerfile'), 'FROM busybox:1\nRUN true\n')
  const build = await bale.try(['build', '-f', join(directory, 'Dockerfile'), join(directory, 'lower')])
  assert.match(build.stderr, /it is on overlayfs/)
  assert.equal(await bale.run(['ps', '-aq']), '')
  await bale.run(['rmi', 'busybox:1'])
  assert.match(await bale.run(['system', 'check']), /no damage/i)
  assert.deepEqual(loopDevicesBelow(directory), [])
})

test('layers of both formats live in one store, and stack in one container', options, async () => {
  await using bale = await testBale()
  const work = join(bale.directory, 'work')
  mkdirSync(work)
  const tar = busyboxTar(work)
  for (const [first, second] of [
    ['erofs', 'extract'],
    ['extract', 'erofs'],
  ] as const) {
    const name = `${first}:1`
    const as = (format: string, args: string[]) => bale.run(['--snapshotter', format, ...args])
    await as(first, ['import', tar, name])
    const change = `echo ${second} > /new; rm /etc/group`
    await as(second, ['run', '--name', 'writer', '--network', 'none', name, 'sh', '-c', change])
    await as(second, ['commit', 'writer', `${name}-more`])
    await as(second, ['rm', 'writer'])
    for (const format of [first, second]) {
      const list = ['sh', '-c', 'cat /new; ls /etc']
      const listed = await as(format, ['run', '--rm', '--network', 'none', `${name}-more`, ...list])
      assert.equal(listed, `${second}\nhostname\nhosts\npasswd\nresolv.conf`)
      assert.match(await as(format, ['system', 'check']), /no damage/i)
    }
    const saved = [first, second].map((format) => join(work, `${first}-${format}.tar`))
    await as(first, ['save', '-o', saved[0]!, `${name}-more`])
    await as(second, ['save', '-o', saved[1]!, `${name}-more`])
    assert.ok(readFileSync(saved[0]!).equals(readFileSync(saved[1]!)))
    await bale.run(['system', 'prune', '-af'])
    assert.equal(await bale.run(['images', '-aq']), '')
  }
})
