/** What limits a container, how their reaching is told, and how many containers are ended, restarted and removed. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
const QUIET = ['--network', 'none']

/** A pipe whose last program holds 50 MB; its shell goes on. */
const HUNGRY = 'head -c 60000000 /dev/zero | tail -c 50000000 >/dev/null; true'

test('a kill for want of memory is told, whoever asks first, also when only a child was killed', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const limit = ['-m', '16m', '--memory-swap', '16m']
  const { code } = await bale.try(['run', '--name', 'hungry', ...QUIET, ...limit, 'busybox:1', 'sh', '-c', HUNGRY])
  const state = () => bale.run(['inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'hungry'])
  assert.equal(await state(), `true ${code}`)
  // Asked again, when the end is certainly in the store.
  await bale.run(['wait', 'hungry'])
  assert.equal(await state(), `true ${code}`)
  const first = await bale.try([
    ...['run', '--name', 'first', ...QUIET, ...limit, 'busybox:1'],
    ...['tail', '-c', '50000000', '/dev/zero'],
  ])
  assert.equal(first.code, 137)
  assert.equal(await bale.run(['inspect', '-f', '{{.State.OOMKilled}}', 'first']), 'true')
  await bale.run(['run', '--name', 'modest', ...QUIET, ...limit, 'busybox:1', 'true'])
  assert.equal(await bale.run(['inspect', '-f', '{{.State.OOMKilled}}', 'modest']), 'false')
})

test(
  'impossible limits are refused before anything is made; update changes limits for now and for later',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const wrong = [
      ['--cpus', '9999'],
      ['--cpuset-cpus', '4000'],
      ['-m', '1m'],
      ['--oom-score-adj', '1001'],
      ['--sysctl', 'kernel.panic=1'],
      ['--device-read-bps', '/dev/null:1mb'],
      ['--ulimit', 'nofile=-1:1024'],
    ]
    for (const words of wrong) {
      const { code, stderr } = await bale.try(['run', '--rm', ...QUIET, ...words, 'busybox:1', 'true'])
      assert.equal(code, 125, words.join(' '))
      assert.doesNotMatch(stderr, /unexpected/)
    }
    assert.equal(await bale.run(['ps', '-aq']), '')
    await bale.run([
      'run',
      '-d',
      '--name',
      'box',
      ...QUIET,
      '-m',
      '64m',
      '--pids-limit',
      '30',
      'busybox:1',
      'sleep',
      '1000',
    ])
    const limits = 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null | head -1'
    const pids = 'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null | head -1'
    const seen = async () => (await bale.run(['exec', 'box', 'sh', '-c', `${limits}; ${pids}`])).split('\n')
    assert.deepEqual(await seen(), ['67108864', '30'])
    const alone = await bale.try(['update', '-m', '256m', 'box'])
    assert.equal(alone.code, 1)
    assert.match(alone.stderr, /update the memoryswap at the same time/)
    assert.equal((await bale.try(['update', '--cpus', '9999', 'box'])).code, 1)
    assert.deepEqual(await seen(), ['67108864', '30'])
    await bale.run(['update', '-m', '128m', '--memory-swap', '256m', '--pids-limit', '50', 'box'])
    assert.deepEqual(await seen(), ['134217728', '50'])
    await bale.run(['restart', '-t', '0', 'box'])
    assert.deepEqual(await seen(), ['134217728', '50'])
    await bale.run(['update', '--pids-limit', '-1', '--cpu-quota', '-1', 'box'])
    assert.deepEqual(await seen(), ['134217728', 'max'])
    await bale.run(['restart', '-t', '0', 'box'])
    assert.deepEqual(await seen(), ['134217728', 'max'])
    const unlimited = ['--pids-limit=-1', '--cpu-quota=-1', '--memory-swap=-1', '--memory-swappiness=-1']
    assert.equal(await bale.run(['run', '--rm', ...QUIET, ...unlimited, 'busybox:1', 'sh', '-c', pids]), 'max')
  },
)

test('stop, restart and rm of many wait together; one that fails does not stop the others', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const names = ['one', 'two', 'three', 'four']
  // As the first process a shell without a trap does not hear TERM.
  for (const name of names) await bale.run(['run', '-d', '--name', name, ...QUIET, 'busybox:1', 'sleep', '1000'])
  const stopped = await bale.try(['stop', '-t', '8', 'one', 'missing', ...names.slice(1)])
  assert.equal(stopped.code, 1)
  assert.deepEqual(stopped.stdout.trim().split('\n'), names)
  assert.match(stopped.stderr, /No such container: missing/)
  const filters = ['--filter', 'event=kill', '--filter', 'event=die']
  const told = await bale.run(['events', '--since', '1h', '--until', '0s', ...filters, '--format', '{{.Action}}'])
  const words = told.split('\n')
  assert.ok(words.indexOf('die') >= names.length, `all were asked before the first ended: ${words.join(' ')}`)
  assert.equal((await bale.run(['restart', '-t', '0', ...names])).replaceAll('\n', ' '), names.join(' '))
  assert.equal((await bale.run(['ps', '-q'])).split('\n').length, names.length)
  assert.equal((await bale.run(['rm', '-f', ...names])).replaceAll('\n', ' '), names.join(' '))
  assert.equal(await bale.run(['ps', '-aq']), '')
})

test('restart of a container that goes at its end keeps it; its end by itself still removes it', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await bale.run(['run', '-d', '--rm', '--name', 'box', ...QUIET, 'busybox:1', 'sleep', '1000'])
  const id = await bale.run(['inspect', '-f', '{{.Id}}', 'box'])
  await bale.run(['restart', '-t', '0', 'box'])
  assert.equal(await bale.run(['inspect', '-f', '{{.Id}} {{.State.Running}}', 'box']), `${id} true`)
  await bale.run(['stop', '-t', '0', 'box'])
  assert.equal(await bale.run(['ps', '-aq']), '')
})

test('a wish for another platform than the image has is never passed over', options, async () => {
  await using place = await prepared()
  const { bale } = place
  for (const platform of ['linux/s390x', 'windows/amd64', 'nonsense'])
    for (const verb of ['run', 'create']) {
      const outcome = await bale.try([verb, '--pull', 'never', '--platform', platform, 'busybox:1', 'true'])
      assert.equal(outcome.code, verb === 'run' ? 125 : 1, `${verb} ${platform}`)
      assert.match(outcome.stderr, /does not provide the specified platform/)
    }
  const own = await bale.run(['version', '-f', '{{.Client.Arch}}'])
  await bale.run(['run', '--rm', ...QUIET, '--pull', 'never', '--platform', `linux/${own}`, 'busybox:1', 'true'])
})

test('what only needs the layers for a while gives their mounts back', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const mounts = () =>
    readTextSync('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => line.includes(`${bale.directory}/`))
  await bale.run(['create', '--name', 'box', ...QUIET, 'busybox:1', 'true'])
  assert.deepEqual(mounts(), [], 'create')
  writeFileSync(join(bale.directory, 'file'), 'text')
  await bale.run(['cp', join(bale.directory, 'file'), 'box:/file'])
  assert.match(await bale.run(['diff', 'box']), /A \/file/)
  await bale.run(['export', '-o', join(bale.directory, 'box.tar'), 'box'])
  await bale.run(['commit', 'box', 'busybox:2'])
  assert.deepEqual(mounts(), [], 'cp, diff, export, commit')
  assert.notEqual((await bale.try(['run', '--name', 'bad', ...QUIET, 'busybox:1', 'no-such-command'])).code, 0)
  writeFileSync(join(bale.directory, 'Dockerfile'), 'FROM busybox:2\nRUN true\n')
  await bale.run(['build', '-t', 'busybox:3', '--network', 'none', bale.directory])
  assert.deepEqual(mounts(), [], 'a failed start, a build')
  await bale.run(['rm', 'box', 'bad'])
  assert.deepEqual(mounts(), [], 'rm')
})
