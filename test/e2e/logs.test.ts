/** Logs of containers: their limit, what is kept and in which order, following over a rotation, times and details. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import type { TestBale } from '../kit/bale.ts'
import { until } from '../kit/until.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
const QUIET = ['--network', 'none']
const LIMIT = ['--log-opt', 'max-size=20k', '--log-opt', 'max-file=3']

/** Makes the file at which the container ends, and the kernel this process with it when that is quicker. */
async function touchLast(bale: TestBale, path: string): Promise<void> {
  const touched = await bale.try(['exec', 'box', 'touch', path])
  assert.ok(touched.code === 0 || touched.code === 137, touched.stderr)
}

test(
  'a log keeps to max-size and max-file while its container runs, without a gap; a follower misses nothing',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const script =
      'echo ready; until [ -e /go ]; do sleep 0.1; done; i=0; while [ $i -lt 6000 ]; do echo line $i; i=$((i + 1)); done; until [ -e /end ]; do sleep 0.1; done; echo done'
    await bale.run(['run', '-d', '--name', 'box', ...QUIET, ...LIMIT, 'busybox:1', 'sh', '-c', script])
    const follower = spawn(resolve('bin/bale'), ['logs', '-f', 'box'], {
      env: bale.environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let followed = ''
    follower.stdout.on('data', (chunk: Buffer) => {
      followed += chunk.toString()
    })
    const over = once(follower, 'close')
    await until('the follower is ready', () => followed.includes('ready'))
    await bale.run(['exec', 'box', 'touch', '/go'])
    const directory = join(bale.directory, 'root/containers', await bale.run(['inspect', '-f', '{{.Id}}', 'box']))
    const sizes = () =>
      readdirSync(directory)
        .filter((name) => name.startsWith('log'))
        // A file may be renamed between the two calls.
        .map((name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0)
    // The log is checked once a second, and the container may still be writing.
    await until('the log is cut to its limits', () => {
      const found = sizes()
      return found.length >= 2 && found.length <= 3 && found.every((size) => size <= 20_000)
    })
    await touchLast(bale, '/end')
    await bale.run(['wait', 'box'])
    const kept = (await bale.run(['logs', 'box'])).split('\n')
    assert.equal(kept.at(-1), 'done')
    const numbers = kept.slice(0, -1).map((line) => Number(line.split(' ')[1]))
    assert.ok(numbers.length >= 500, `${numbers.length} lines are kept`)
    assert.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, index) => 6000 - numbers.length + index),
    )
    assert.equal(await bale.run(['logs', '-n', '2', 'box']), 'line 5999\ndone')
    await over
    const lines = followed.trim().split('\n')
    assert.equal(lines.length, 6002, 'each line once')
    assert.deepEqual([lines[0], ...lines.slice(-2)], ['ready', 'line 5999', 'done'])
  },
)

test('a container that writes too much and ends at once leaves no more than its limit', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const script = 'i=0; while [ $i -lt 6000 ]; do echo line $i; i=$((i + 1)); done'
  await bale.run(['run', '--name', 'box', ...QUIET, ...LIMIT, 'busybox:1', 'sh', '-c', script])
  // rm of another name only settles what has ended.
  await bale.run(['system', 'prune', '--filter', 'until=10h', '-f'])
  const lines = (await bale.run(['logs', 'box'])).split('\n')
  assert.equal(lines.at(-1), 'line 5999')
  assert.ok(lines.length >= 500 && lines.length < 2000, `${lines.length} lines are kept`)
})

test(
  'since and until count nanoseconds, a time without a zone is the local one, details are shown',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const details = ['--label', 'app=web shop', '-e', 'STAGE=test', '--log-opt', 'labels=app', '--log-opt', 'env=STAGE']
    // Lines that are read at once have one time: each is written when the one before it is in the log.
    const script = 'for word in one two three; do until [ -e /$word ]; do sleep 0.01; done; echo $word; done'
    await bale.run(['run', '-d', '--name', 'box', ...QUIET, ...details, 'busybox:1', 'sh', '-c', script])
    const log = join(bale.directory, 'root/containers', await bale.run(['inspect', '-f', '{{.Id}}', 'box']), 'log')
    for (const word of ['one', 'two', 'three']) {
      if (word === 'three') await touchLast(bale, '/three')
      else await bale.run(['exec', 'box', 'touch', `/${word}`])
      await until(`${word} is logged`, () => readFileSync(log, 'utf8').includes(word))
    }
    await bale.run(['wait', 'box'])
    const times = (await bale.run(['logs', '-t', 'box'])).split('\n').map((line) => line.split(' ')[0]!)
    assert.equal(times.length, 3)
    const [, two = ''] = times
    assert.match(two, /\.\d{9}Z$/)
    assert.equal(await bale.run(['logs', '--since', two, 'box']), 'two\nthree')
    assert.equal(await bale.run(['logs', '--until', two, 'box']), 'one\ntwo')
    const later =
      new Date(Date.parse(two)).toISOString().slice(0, 20) + String(Number(two.slice(20, 29)) + 1).padStart(9, '0')
    if (!later.endsWith('1000000000')) assert.equal(await bale.run(['logs', '--since', `${later}Z`, 'box']), 'three')
    // Five hours east of Greenwich the same words name a time five hours earlier.
    const east = { env: { TZ: 'Etc/GMT-5' } }
    const bare = two.slice(0, -1)
    assert.equal(await bale.run(['logs', '--since', bare, 'box'], { env: { TZ: 'UTC' } }), 'two\nthree')
    assert.equal(await bale.run(['logs', '--since', bare, 'box'], east), 'one\ntwo\nthree')
    assert.equal(await bale.run(['logs', '--until', bare, 'box'], east), '')
    assert.equal(await bale.run(['logs', '--details', '-n', '1', 'box']), 'STAGE=test,app=web+shop three')
    const both = await bale.run(['logs', '--details', '-t', '-n', '1', 'box'])
    assert.match(both, /^\d{4}-\d\d-\d\dT[\d:.]+Z STAGE=test,app=web\+shop three$/)
    assert.equal(await bale.run(['logs', '--tail', '0', 'box']), '')
    const wrong = await bale.try(['logs', '--since', '2026-13-45', 'box'])
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /invalid value for "since"/)
  },
)
