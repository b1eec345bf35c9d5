/** `cp` between the machine and containers: whose links count, and which files a container has while it does not run. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTextSync } from '../../src/host/file/index.ts'
import type { TestBale } from '../kit/bale.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }

/** A container that sleeps, after a script has run in it. */
async function sleeping(bale: TestBale, name: string, script: string, ...flags: string[]): Promise<void> {
  await bale.run(['run', '-d', '--name', name, '--network', 'none', ...flags, 'busybox:1', 'sleep', '1000'])
  await bale.run(['exec', name, 'sh', '-c', script])
}

const tarNames = (tar: string) =>
  execFileSync('tar', ['tf', '-'], { input: Buffer.from(tar, 'latin1'), encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)

test('R20 a second copy never goes through a link that the first one brought', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const [out, victim] = [join(bale.directory, 'out'), join(bale.directory, 'victim')]
  mkdirSync(out)
  mkdirSync(victim)
  await sleeping(bale, 'box', `mkdir /d; ln -s ${victim} /d/zz; ln -s ${victim}/f /d/f`)
  await bale.run(['cp', 'box:/d/.', out])
  await bale.run(['exec', 'box', 'sh', '-c', 'rm /d/zz /d/f; mkdir /d/zz; echo evil >/d/zz/pwned; echo evil >/d/f'])
  const again = await bale.try(['cp', 'box:/d/.', out])
  assert.equal(again.code, 1)
  assert.match(again.stderr, new RegExp(`cannot overwrite non-directory "${out}/zz" with directory "${out}"`))
  assert.deepEqual(readdirSync(victim), [])
})

test('a link as destination is written through, in both directions, also one to nothing', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const local = join(bale.directory, 'local')
  writeFileSync(local, 'new')
  await sleeping(
    bale,
    'box',
    'mkdir /data; echo old >/data/conf; ln -s /data/conf /etc/conf; ln -s ../data/none /etc/dangling',
  )
  await bale.run(['cp', local, 'box:/etc/conf'])
  await bale.run(['cp', local, 'box:/etc/dangling'])
  const seen = await bale.run([
    'exec',
    'box',
    'sh',
    '-c',
    'readlink /etc/conf; cat /data/conf; readlink /etc/dangling; cat /data/none',
  ])
  assert.equal(seen, '/data/conf\nnew../data/none\nnew')
  mkdirSync(join(bale.directory, 'real'))
  symlinkSync('real', join(bale.directory, 'directory'))
  symlinkSync('real/none', join(bale.directory, 'nothing'))
  await bale.run(['cp', 'box:/data/conf', join(bale.directory, 'nothing')])
  await bale.run(['cp', 'box:/data', join(bale.directory, 'directory')])
  assert.equal(readlinkSync(join(bale.directory, 'nothing')), 'real/none')
  assert.equal(readFileSync(join(bale.directory, 'real/none'), 'utf8'), 'new')
  assert.deepEqual(readdirSync(join(bale.directory, 'real')).sort(), ['data', 'none'])
})

test('-L copies what a link leads to, under the name of the link', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await sleeping(bale, 'box', 'mkdir -p /d/sub; echo 1 >/d/f; ln -s d /ld; ln -s d/f /lf; ln -s nowhere /none')
  await bale.run(['cp', '-L', 'box:/lf', bale.directory])
  assert.equal(lstatSync(join(bale.directory, 'lf')).isFile(), true)
  await bale.run(['cp', 'box:/lf', join(bale.directory, 'link')])
  assert.equal(readlinkSync(join(bale.directory, 'link')), 'd/f')
  const none = await bale.try(['cp', '-L', 'box:/none', bale.directory])
  assert.equal(none.code, 1)
  assert.match(none.stderr, /Could not find the file \/none in container box/)
  symlinkSync('lf', join(bale.directory, 'own'))
  await bale.run(['cp', '-L', join(bale.directory, 'own'), 'box:/d/'])
  assert.equal(await bale.run(['exec', 'box', 'sh', '-c', 'readlink /d/own || cat /d/own']), '1')
})

test("names in a tar on stdout are docker's: by the path that was typed", options, async () => {
  await using place = await prepared()
  const { bale } = place
  await sleeping(bale, 'box', 'mkdir -p /d/sub; echo 1 >/d/f; ln -s d /ld')
  const names = async (...args: string[]) => tarNames((await bale.try(['cp', ...args, '-'])).stdout)
  const under = (name: string) => [`${name}/`, `${name}/f`, `${name}/sub/`]
  assert.deepEqual(await names('box:/d'), under('d'))
  assert.deepEqual(await names('box:/d/.'), under('.'))
  assert.deepEqual(await names('box:/ld/'), under('ld'))
  assert.deepEqual(await names('box:/ld'), ['ld'])
  assert.deepEqual(await names('-L', 'box:/ld'), under('d'))
  assert.deepEqual(await names('box:/d/sub/..'), under('d'))
})

test("refusals have docker's words", options, async () => {
  await using place = await prepared()
  const { bale, tar } = place
  await sleeping(bale, 'box', 'mkdir /d; echo 1 >/d/f; ln -s nowhere /dang')
  const cases: [string[], RegExp][] = [
    [['cp', '-', 'box:/nope'], /destination "box:\/nope" must be a directory/],
    [['cp', '-', 'box:/d/f'], /destination "box:\/d\/f" must be a directory/],
    [['cp', '-', 'box:/dang'], /destination "box:\/dang" must be a directory/],
    [['cp', 'box:/nope', bale.directory], /Could not find the file \/nope in container box/],
    [['cp', 'box:/d/f', `${bale.directory}/none/x`], /invalid output path: directory ".*none" does not exist/],
    [['cp', 'box:/d/f', `${bale.directory}/none/`], /no such directory/],
    [['cp', 'box:/d', tar], /cannot copy directory/],
    [['cp', tar, 'box:/none/'], /no such directory/],
    [['cp', tar, 'box:/none/x'], /Could not find the file \/none in container box/],
    [['cp', `${bale.directory}/none`, 'box:/'], /lstat .*none: no such file or directory/],
    [['cp', 'box:', bale.directory], /the path in container box is empty/],
    [['cp', tar, 'box:/dev/null'], /is a device/],
  ]
  for (const [args, words] of cases) {
    const { code, stderr } = await bale.try(args, { input: '' })
    assert.equal(code, 1, args.join(' '))
    assert.match(stderr, words, args.join(' '))
  }
})

test('a container that does not run has its volumes, binds and /etc files where its links lead', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const bind = join(bale.directory, 'bind')
  mkdirSync(bind)
  writeFileSync(join(bind, 'one'), 'bound')
  const flags = ['-v', 'data:/run/data', '-v', `${bind}/one:/run/sock`, '-v', `${bind}:/ro:ro`]
  await sleeping(bale, 'box', 'echo in >/run/data/f; ln -s /run/data /short; ln -s /run /running', ...flags)
  const cat = async (path: string) => {
    const { stdout } = await bale.try(['cp', `box:${path}`, '-'])
    return execFileSync('tar', ['xOf', '-'], { input: Buffer.from(stdout, 'latin1'), encoding: 'utf8' })
  }
  for (const state of ['running', 'stopped']) {
    assert.equal(await cat('/short/f'), 'in\n', state)
    assert.equal(await cat('/running/data/f'), 'in\n', state)
    assert.equal(await cat('/running/sock'), 'bound', state)
    assert.match(await cat('/etc/hosts'), /localhost/, state)
    writeFileSync(join(bale.directory, 'new'), state)
    await bale.run(['cp', join(bale.directory, 'new'), 'box:/short/'])
    await bale.run(['cp', join(bale.directory, 'new'), 'box:/running/sock'])
    assert.equal(readFileSync(join(bind, 'one'), 'utf8'), state, 'a file that is a mount point is written over')
    writeFileSync(join(bind, 'one'), 'bound')
    const refused = await bale.try(['cp', join(bale.directory, 'new'), 'box:/ro/'])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /mounted volume is marked read-only/, state)
    assert.equal(await cat('/short/new'), state)
    if (state === 'running') await bale.run(['stop', '-t', '0', 'box'])
  }
  assert.equal(readTextSync('/proc/self/mountinfo').includes(`${bale.directory}/run/rootfs/`), false, 'nothing stays')
})

test('a read-only root is refused in words, its volumes are not', options, async () => {
  await using place = await prepared()
  const { bale, tar } = place
  await bale.run(['create', '--name', 'box', '--read-only', '-v', 'data:/data', 'busybox:1', 'sleep', '1000'])
  for (const state of ['created', 'running']) {
    const refused = await bale.try(['cp', tar, 'box:/tmp/'])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /container rootfs is marked read-only/, state)
    await bale.run(['cp', tar, 'box:/data/'])
    if (state === 'created') await bale.run(['start', 'box'])
  }
})

test(
  "files of the kernel are read to their end; a copy of the root does not take the kernel's along",
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    await sleeping(bale, 'box', 'echo x >/mine')
    await bale.run(['cp', 'box:/proc/1/status', join(bale.directory, 'status')])
    assert.match(readFileSync(join(bale.directory, 'status'), 'utf8'), /Name:\s+sleep/)
    mkdirSync(join(bale.directory, 'whole'))
    await bale.run(['cp', 'box:/', join(bale.directory, 'whole')])
    assert.equal(readFileSync(join(bale.directory, 'whole/mine'), 'utf8'), 'x\n')
    for (const name of ['proc', 'sys', 'dev'])
      assert.deepEqual(readdirSync(join(bale.directory, 'whole', name)), [], name)
  },
)

test('a tree whose files come and go is copied all the same', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await sleeping(bale, 'box', 'mkdir /live; echo stays >/live/stays')
  const churn =
    'while :; do for i in 1 2 3 4 5 6 7 8 9; do mkdir /live/d$i; echo x >/live/d$i/f; ln -s x /live/l$i; done; rm -rf /live/d* /live/l*; done'
  await bale.run(['exec', '-d', 'box', 'sh', '-c', churn])
  for (let turn = 0; turn < 5; turn++) {
    const out = join(bale.directory, `out${turn}`)
    await bale.run(['cp', 'box:/live', out])
    assert.equal(readFileSync(join(out, 'stays'), 'utf8'), 'stays\n')
  }
  assert.equal(existsSync(join(bale.directory, 'out0/stays')), true)
})
