import assert from 'node:assert/strict'
import { existsSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { execute, type TestBale, testBale } from '../kit/bale.ts'
import { baleRegistry } from '../kit/registry.ts'
import { mountsBelow } from '../kit/temporary.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }

/** What a power cut and a boot do: no process, no mount, nothing in the run directory. */
async function reboot(bale: TestBale): Promise<void> {
  const run = join(bale.directory, 'run')
  // Monitors first, so that nobody writes down how the containers end.
  for (const file of filesBelow(run).filter((path) => path.endsWith('/conmon.pid'))) kill(file)
  for (const file of filesBelow(run).filter((path) => path.endsWith('/pidfile'))) kill(file)
  for (const target of mountsBelow(run).reverse()) await execute('umount', ['-l', target])
  rmSync(run, { recursive: true })
}

function kill(pidFile: string): void {
  try {
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL')
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** The largest file below a directory of the store. */
function largest(...directory: string[]): string {
  return filesBelow(join(...directory)).sort((one, other) => statSync(other).size - statSync(one).size)[0]!
}

/** One bit in the middle of a file is another one; size and times stay, as when a disk goes bad. */
function flipBit(path: string): void {
  const { size } = statSync(path)
  const fd = openSync(path, 'r+')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, size >> 1)
  byte[0]! ^= 1
  writeSync(fd, byte, 0, 1, size >> 1)
}

test('a store that a newer bale wrote is refused, and not touched', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const path = join(bale.directory, 'root/bale.db')
  let version: number
  {
    using database = new DatabaseSync(path)
    version = (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
    database.exec('PRAGMA user_version = 99')
  }
  for (const words of [['images'], ['run', '--rm', 'busybox:1', 'true'], ['system', 'check', '--repair']]) {
    const refused = await bale.try(words)
    assert.equal(refused.code, words[0] === 'run' ? 125 : 1)
    assert.match(
      refused.stderr,
      /^bale: the store .*bale\.db has version 99, but this bale knows only \d+\nhint: use the newer version of bale/,
    )
  }
  {
    using database = new DatabaseSync(path)
    const { count } = database.prepare('SELECT count(*) AS count FROM names').get() as { count: number }
    assert.equal(count, 1)
    database.exec(`PRAGMA user_version = ${version}`)
  }
  assert.equal(await bale.run(['images', '--format', '{{.Repository}}']), 'busybox')
})

test('after a reboot containers are Exited, and start again with all that they had written', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await bale.run([
    'run',
    '-d',
    '--name',
    'web',
    '-v',
    'data:/data',
    'busybox:1',
    'sh',
    '-c',
    'echo x >> /data/starts; sleep 1000',
  ])
  await bale.run(['run', '-d', '--name', 'removed', '--rm', '--network', 'none', 'busybox:1', 'sleep', '1000'])
  await bale.run(['exec', 'web', 'sh', '-c', 'echo kept > /kept; sync'])
  await reboot(bale)
  assert.deepEqual(mountsBelow(bale.directory), [])
  assert.match(await bale.run(['ps', '-a', '--filter', 'name=web', '--format', '{{.Status}}']), /^Exited \(\d+\)/)
  assert.equal(await bale.run(['ps', '-q']), '')
  assert.equal(await bale.run(['inspect', '--format', '{{.State.Status}}', 'web']), 'exited')
  await bale.run(['start', 'web'])
  assert.equal(await bale.run(['exec', 'web', 'cat', '/kept', '/data/starts']), 'kept\nx\nx')
  assert.match(await bale.run(['exec', 'web', 'ip', 'addr', 'show', 'eth0']), /inet 10\./)
  await bale.run(['rm', '-f', '-v', 'web'])
  await bale.run(['rm', '-f', 'removed'])
  assert.equal(await bale.run(['ps', '-aq']), '')
})

test('a damaged layer is found before the first mount after a boot, named, and healed by a load', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await execute('/bin/sh', [
    '-c',
    `mkdir '${bale.directory}/o' && tar -xf '${bale.directory}/busybox.tar' -C '${bale.directory}/o' ./bin`,
  ])
  await execute('/bin/tar', ['-C', join(bale.directory, 'o'), '-cf', join(bale.directory, 'o.tar'), '.'])
  await bale.run(['import', join(bale.directory, 'o.tar'), 'other:1'])
  const archive = join(bale.directory, 'busybox-image.tar')
  await bale.run(['save', '-o', archive, 'busybox:1'])
  const run = (image: string) => bale.try(['run', '--rm', '--network', 'none', image, '/bin/busybox', 'echo', 'ran'])
  assert.equal((await run('busybox:1')).stdout, 'ran\n')
  const diffId = await bale.run(['image', 'inspect', '--format', '{{index .RootFS.Layers 0}}', 'busybox:1'])
  await reboot(bale)
  flipBit(largest(bale.directory, 'root/layers-v1', diffId.slice('sha256:'.length)))

  const refused = await run('busybox:1')
  assert.equal(refused.code, 125)
  assert.equal(refused.stdout, '')
  assert.match(
    refused.stderr,
    new RegExp(`^bale: the layer ${diffId} is damaged: .*\nhint: .*docker.io/library/busybox:1`),
  )
  assert.equal(mountsBelow(bale.directory).filter((target) => target.includes('/layers/')).length, 0)
  assert.equal((await run('other:1')).stdout, 'ran\n')
  assert.deepEqual((await bale.run(['images', '--format', '{{.Repository}}'])).split('\n').sort(), ['busybox', 'other'])
  assert.equal((await bale.try(['system', 'check'])).code, 1)

  await bale.run(['load', '-i', archive])
  assert.equal((await run('busybox:1')).stdout, 'ran\n')
  assert.match(await bale.run(['system', 'check']), /no damage/i)
})

test(
  'a damaged blob is neither saved nor pushed, and healed by a pull; nor does a damaged layer get a digest',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    await using registry = await baleRegistry(bale)
    await bale.run(['login', '-u', 'ann', '--password-stdin', registry.host], { input: 'correct-horse-battery' })
    const name = `${registry.host}/team/image:1`
    await bale.run(['tag', 'busybox:1', name])
    await bale.run(['push', name])
    const blob = largest(bale.directory, 'root/blobs')
    const whole = readFileSync(blob)
    const archive = join(bale.directory, 'image.tar')

    flipBit(blob)
    const saved = await bale.try(['save', '-o', archive, name])
    assert.equal(saved.code, 1)
    assert.match(
      saved.stderr,
      /^bale: the blob sha256:[0-9a-f]{64} is damaged in the store \(part of .*team\/image:1\)\nhint: pull/,
    )
    assert.equal(existsSync(archive), false)
    await bale.run(['pull', name])
    assert.ok(readFileSync(blob).equals(whole))
    await bale.run(['save', '-o', archive, name])

    flipBit(blob)
    await using another = await testBale()
    await using other = await baleRegistry(another)
    await bale.run(['login', '-u', 'ann', '--password-stdin', other.host], { input: 'correct-horse-battery' })
    const far = `${other.host}/team/far:1`
    await bale.run(['tag', name, far])
    const pushed = await bale.try(['push', far])
    assert.equal(pushed.code, 1)
    assert.match(pushed.stderr, /the blob sha256:[0-9a-f]{64} is damaged in the store/)
    assert.equal((await bale.try(['pull', far])).code, 1)
    await bale.run(['pull', name])
    await bale.run(['push', far])

    // Made here, never pushed: its blob is derived from the layer.
    await bale.run([
      'run',
      '--name',
      'writer',
      '--network',
      'none',
      'busybox:1',
      'sh',
      '-c',
      'cat /bin/busybox > /copy',
    ])
    const made = `${registry.host}/team/made:1`
    await bale.run(['commit', 'writer', made])
    const diffId = await bale.run(['image', 'inspect', '--format', '{{index .RootFS.Layers 1}}', made])
    const directory = join(bale.directory, 'root/layers-v1', diffId.slice('sha256:'.length))
    flipBit(largest(existsSync(join(directory, 'layer.erofs')) ? directory : join(directory, 'tree')))
    if (existsSync(join(directory, 'layer.tar.zst'))) flipBit(join(directory, 'layer.tar.zst'))
    for (const words of [
      ['push', made],
      ['save', '-o', `${archive}.made`, made],
    ]) {
      const refused = await bale.try(words)
      assert.equal(refused.code, 1, words[0])
      assert.match(refused.stderr, /^bale: the layer sha256:[0-9a-f]{64} is damaged/m, words[0])
    }
    assert.equal((await bale.try(['pull', made])).code, 1)
  },
)
