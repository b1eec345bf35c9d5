/** Faults of the machine while bale works: a full disk, kill -9 at any moment, damaged files, others at work on the same store. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { execute, type TestBale, testBale } from '../kit/bale.ts'
import { type Killing, killed } from '../kit/killed.ts'
import { publish, scriptedRegistry } from '../kit/scripted-registry.ts'
import { tarEntry, tarOf } from '../kit/tar.ts'
import { mountsBelow } from '../kit/temporary.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }

async function assertClean(bale: TestBale, what: string): Promise<void> {
  await bale.run(['system', 'prune', '-f'])
  assert.match(await bale.run(['system', 'check']), /no damage/i, what)
}

/** Names in a directory of a bale, none when it does not exist. */
const names = (bale: TestBale, directory: string) => {
  const path = join(bale.directory, directory)
  return existsSync(path) ? readdirSync(path) : []
}

/** The moment when something new is in one of a bale's directories; `holds` looks at it as well. */
function appears(bale: TestBale, directory: string, holds: (name: string) => boolean = () => true): () => boolean {
  const before = new Set(names(bale, directory))
  return () => names(bale, directory).some((name) => !before.has(name) && holds(name))
}

/** The moment when the database of a bale is written to. */
function writes(bale: TestBale): () => boolean {
  const state = () => {
    const found = statSync(join(bale.directory, 'root/bale.db-wal'), { bigint: true, throwIfNoEntry: false })
    return `${found?.ino} ${found?.mtimeNs}`
  }
  const before = state()
  return () => state() !== before
}

test(
  'a full disk: pull, load, import, build and commit say so and leave nothing; rm, rmi and prune still work',
  options,
  async () => {
    await using place = await prepared()
    await using bale = await testBale()
    const root = join(bale.directory, 'root')
    const image = join(bale.directory, 'disk')
    mkdirSync(root)
    const made = await execute('sh', [
      '-c',
      `truncate -s 40M ${image} && mkfs.ext4 -q -m 0 ${image} && mount -o loop ${image} ${root}`,
    ])
    assert.equal(made.code, 0, made.stderr)
    const large = await tarOf([{ entry: tarEntry('large'), text: randomBytes(40 << 20).toString('latin1') }])
    await using registry = await scriptedRegistry()
    publish(registry, 'large', { tars: [large] })
    writeFileSync(join(bale.directory, 'large.tar'), large)
    await place.bale.run(['import', join(bale.directory, 'large.tar'), 'large:1'])
    await place.bale.run(['save', '-o', join(bale.directory, 'saved.tar'), 'large:1'])
    await bale.run(['import', place.tar, 'busybox:1'])
    const context = join(bale.directory, 'context')
    mkdirSync(context)
    writeFileSync(join(context, 'large'), large)
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox:1\nCOPY large /\n')
    await bale.run([
      'run',
      '--name',
      'full',
      'busybox:1',
      'sh',
      '-c',
      'dd if=/dev/urandom of=/data bs=1M count=20 2>/dev/null',
    ])
    const images = await bale.run(['images', '-aq'])
    for (const args of [
      ['pull', `${registry.host}/x:large`],
      ['load', '-i', join(bale.directory, 'saved.tar')],
      ['import', join(bale.directory, 'large.tar'), 'large:1'],
      ['build', '-q', '-t', 'large:2', context],
      ['commit', 'full', 'large:3'],
    ]) {
      const outcome = await bale.try(args)
      assert.equal(outcome.code, 1, `${args[0]} ${outcome.stderr}`)
      assert.match(outcome.stderr, /disk is full|no space left/i, args[0])
      assert.doesNotMatch(outcome.stderr, /unexpected failure|\n\s+at /, args[0])
      assert.equal(await bale.run(['images', '-aq']), images, args[0])
      assert.match(await bale.run(['system', 'check']), /no damage/i, args[0])
    }
    // Not a byte is left: what frees space must not need any.
    await execute('sh', ['-c', `dd if=/dev/zero of=${root}/filler bs=1M; dd if=/dev/zero of=${root}/filler2 bs=512`])
    assert.match(await bale.run(['ps', '-a']), /full/)
    await bale.run(['rm', 'full'])
    await bale.run(['rmi', 'busybox:1'])
    await bale.run(['system', 'prune', '-f'])
    rmSync(join(root, 'filler'))
    rmSync(join(root, 'filler2'))
    await bale.run(['import', place.tar, 'busybox:1'])
    assert.equal(await bale.run(['run', '--rm', 'busybox:1', 'echo', 'works']), 'works')
    await assertClean(bale, 'after all')
    assert.equal((await execute('umount', ['-l', root])).code, 0)
  },
)

test(
  'kill -9 in the middle of run, rm, import, rmi and prune: ps is true, the next command works, nothing stays',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const tar = readFileSync(place.tar)
    const started = ['run', '-d', 'busybox:1', 'sleep', '1000']
    const runs = ['sh', '-c', 'echo runs; exec sleep 1000']
    const isStarting = (name: string) => existsSync(join(bale.directory, 'run/c', name, 'starting.json'))
    const isLogged = (id: string) => existsSync(join(bale.directory, 'root/containers', id, 'log'))
    const hasRun = (output: string) => output.includes('runs')
    // Those without an end of their own are killed in any case, the others may be faster than who watches them.
    const victims: { args: string[]; at: string; when: () => Killing['when']; endless?: true; input?: Uint8Array }[] = [
      { args: started, at: 'its record', when: () => writes(bale) },
      { args: started, at: 'its directory', when: () => appears(bale, 'root/containers') },
      { args: started, at: 'its start', when: () => appears(bale, 'run/c', isStarting) },
      { args: started, at: 'its monitor', when: () => appears(bale, 'root/containers', isLogged) },
      { args: started, at: 'its process', when: () => appears(bale, 'run/runtime') },
      { args: ['run', '--rm', 'busybox:1', ...runs], at: 'output', when: () => hasRun, endless: true },
      {
        args: ['import', '-', 'half:1'],
        at: 'half of its input',
        when: () => appears(bale, 'root/tmp'),
        endless: true,
        input: tar.subarray(0, tar.length >> 1),
      },
      { args: ['exec', 'steady', ...runs], at: 'output', when: () => hasRun, endless: true },
      { args: ['system', 'prune', '-f'], at: 'a write', when: () => writes(bale) },
      { args: ['rmi', '-f', 'spare:1'], at: 'a write', when: () => writes(bale) },
    ]
    await bale.run(['run', '-d', '--name', 'steady', 'busybox:1', 'sleep', '1000'])
    await bale.run(['import', '--change', 'LABEL a=b', place.tar, 'spare:1'])
    for (const { args, at, when, endless, input } of victims) {
      const what = `${args[0]} ${args[1]} at ${at}`
      const wasKilled = await killed(bale, args, { when: when(), input })
      if (endless) assert.ok(wasKilled, what)
      const rows = (await bale.run(['ps', '-a', '--no-trunc', '--format', '{{.ID}} {{.State}}'])).split('\n')
      for (const row of rows.filter((one) => one.endsWith(' running'))) {
        const pid = await bale.run(['inspect', '-f', '{{.State.Pid}}', row.split(' ')[0]!])
        assert.match(readTextSync(`/proc/${pid}/cmdline`), /sleep/, what)
      }
      assert.equal(await bale.run(['exec', 'steady', 'echo', 'works']), 'works', what)
    }
    assert.equal(await bale.run(['run', '--rm', 'busybox:1', 'echo', 'works']), 'works')
    const ids = (await bale.run(['ps', '-aq'])).split('\n')
    const all = names(bale, 'root/containers').length
    await killed(bale, ['rm', '-f', ...ids], { when: () => names(bale, 'root/containers').length < all })
    const left = (await bale.run(['ps', '-aq'])).split('\n').filter(Boolean)
    if (left.length > 0) await bale.run(['rm', '-f', ...left])
    assert.equal(await bale.run(['ps', '-aq']), '')
    await assertClean(bale, 'after all')
    assert.deepEqual(readdirSync(join(bale.directory, 'root/containers')), [])
    assert.deepEqual(
      mountsBelow(bale.directory).filter((target) => !target.includes('/run/layers/')),
      [],
    )
    for (const name of ['netns', 'runtime']) assert.deepEqual(readdirSync(join(bale.directory, 'run', name)), [], name)
  },
)

test(
  'R15 R16: a changed layer is found before it is mounted; only its image is refused, and a load heals it',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    await bale.run(['import', join(bale.directory, 'busybox.tar'), 'other:1', '--change', 'LABEL a=b'])
    const extra = await tarOf([{ entry: tarEntry('extra'), text: 'x'.repeat(20_000) }])
    await bale.run(['save', '-o', join(bale.directory, 'whole.tar'), 'busybox:1'])
    await bale.run(['import', '-', 'extra:1'], { input: extra })
    await bale.run(['save', '-o', join(bale.directory, 'extra.tar'), 'extra:1'])
    const diffId = await bale.run(['image', 'inspect', '-f', '{{index .RootFS.Layers 0}}', 'extra:1'])
    const directory = readdirSync(join(bale.directory, 'root/layers-v1'), { recursive: true, encoding: 'utf8' })
    const files = directory.filter((path) => path.includes(diffId.slice(7)) && /\.erofs$|extra$/.test(path))
    assert.equal(files.length, 1)
    const file = join(bale.directory, 'root/layers-v1', files[0]!)
    assert.equal((await execute('stat', ['-c', '%a', file])).stdout.trim(), file.endsWith('.erofs') ? '444' : '644')
    const bytes = readFileSync(file)
    bytes.writeUInt8(bytes[5000]! ^ 1, 5000)
    chmodSync(file, 0o644)
    writeFileSync(file, bytes)
    // As after a boot: nothing is mounted, nothing known to be right.
    for (const target of mountsBelow(join(bale.directory, 'run')).reverse()) await execute('umount', ['-l', target])
    rmSync(join(bale.directory, 'run'), { recursive: true })
    const outcome = await bale.try(['run', '--rm', 'extra:1', '/extra'])
    assert.equal(outcome.code, 125, outcome.stderr)
    assert.match(outcome.stderr, /damaged/)
    assert.equal(await bale.run(['run', '--rm', 'busybox:1', 'echo', 'works']), 'works')
    assert.match(await bale.run(['images']), /extra/)
    const found = await bale.try(['system', 'check'])
    assert.notEqual(found.code, 0)
    assert.match(found.stdout + found.stderr, /extra:1/)
    await bale.run(['load', '-q', '-i', join(bale.directory, 'extra.tar')])
    assert.match(await bale.run(['system', 'check']), /no damage/i)
    assert.equal((await bale.try(['run', '--rm', 'extra:1', '/extra'])).code, 126)
  },
)

test('two at once: load, build, run and remove on one store', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const archive = join(bale.directory, 'saved.tar')
  await bale.run(['import', '--change', 'LABEL a=b', place.tar, 'twice:1'])
  await bale.run(['save', '-o', archive, 'twice:1'])
  await bale.run(['rmi', 'twice:1'])
  const context = join(bale.directory, 'context')
  mkdirSync(context)
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox:1\nRUN echo built > /built\n')
  const both = async (first: string[], second: string[]) => {
    const outcomes = await Promise.all([bale.try(first), bale.try(second)])
    assert.deepEqual(
      outcomes.map(({ code }) => code),
      [0, 0],
      `${first} | ${second}: ${outcomes.map((one) => one.stderr).join()}`,
    )
    return outcomes.map(({ stdout }) => stdout.trim())
  }
  await both(['load', '-q', '-i', archive], ['load', '-q', '-i', archive])
  await both(['build', '-q', '-t', 'a:1', context], ['build', '-q', '-t', 'b:1', context])
  assert.deepEqual(await both(['run', '--rm', 'a:1', 'cat', '/built'], ['run', '--rm', 'b:1', 'cat', '/built']), [
    'built',
    'built',
  ])
  await both(['run', '--rm', 'busybox:1', 'true'], ['system', 'prune', '-f'])
  await both(['rmi', 'a:1'], ['run', '--rm', 'b:1', 'cat', '/built'])
  await bale.run(['run', '-d', '--name', 'one', 'busybox:1', 'sleep', '1000'])
  const removals = await Promise.all([bale.try(['rm', '-f', 'one']), bale.try(['rm', '-f', 'one'])])
  assert.ok(removals.some(({ code }) => code === 0))
  for (const { code, stderr } of removals) if (code !== 0) assert.match(stderr, /No such container|already in progress/)
  assert.equal(await bale.run(['ps', '-aq']), '')
  await assertClean(bale, 'two at once')
  assert.equal(existsSync(join(bale.directory, 'root/bale.db')), true)
})
