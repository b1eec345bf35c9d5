/** Restart policies: after an end, after a boot of the machine, after its gentle shutdown, and for unhealthy containers. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createEngine, readConfig } from '#engine'
import { processIdentity, sendSignal } from '#host'
import { execute, type TestBale } from '../kit/bale.ts'
import { until } from '../kit/until.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
const QUIET = ['--network', 'none']

async function start(bale: TestBale, name: string, words: string[], command = ['sleep', '1000']): Promise<void> {
  await bale.run(['run', '-d', '--name', name, ...QUIET, ...words, 'busybox:1', ...command])
}

const running = async (bale: TestBale) =>
  (await bale.run(['ps', '--format', '{{.Names}}'])).split('\n').sort().join(' ')

/** What a loss of power does: monitors and processes are gone at once, and so is what was on a tmpfs. */
async function losePower(bale: TestBale, names: string[]): Promise<void> {
  const ids = (await bale.run(['ps', '-q', '--no-trunc'])).split('\n')
  for (const id of ids) {
    const { stdout } = await execute('pgrep', ['-f', `conmon .*-c ${id}`])
    for (const pid of stdout.split('\n').filter(Boolean)) kill(Number(pid))
  }
  for (const name of names) kill(Number(await bale.run(['inspect', '-f', '{{.State.Pid}}', name])))
  rmSync(join(bale.directory, 'run/boot'))
}

function kill(pid: number): void {
  const identity = processIdentity(pid)
  if (identity) sendSignal(identity, 'SIGKILL')
}

test('the first command after a boot starts what the policies want up, once', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await start(bale, 'plain', [])
  await start(bale, 'always', ['--restart', 'always'])
  await start(bale, 'failing', ['--restart', 'on-failure:3'])
  await start(bale, 'stopped', ['--restart', 'unless-stopped'])
  await bale.run(['stop', '-t', '0', 'stopped'])
  await bale.run(['create', '--name', 'never', ...QUIET, '--restart', 'always', 'busybox:1', 'sleep', '1000'])
  await losePower(bale, ['plain', 'always', 'failing'])
  assert.equal(await running(bale), 'always failing')
  await bale.run(['stop', '-t', '0', 'always'])
  assert.equal(await running(bale), 'failing', 'a stop counts until the next boot')
  assert.equal(await bale.run(['system', 'start']), '')
})

test('a collection that comes first after a boot starts them before it records their end', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await start(bale, 'always', ['--restart', 'always'])
  await losePower(bale, ['always'])
  {
    const [root, run] = [join(bale.directory, 'root'), join(bale.directory, 'run')]
    await using engine = createEngine({ config: readConfig({ root, run }) })
    await engine.system.gc()
  }
  assert.equal(await running(bale), 'always')
})

test(
  'system stop ends all gently, nothing comes back by itself, and system start brings back what has a policy',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const gentle = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done']
    await start(bale, 'plain', [], gentle)
    await start(bale, 'always', ['--restart', 'always'], gentle)
    await start(bale, 'unless', ['--restart', 'unless-stopped'], gentle)
    assert.equal((await bale.run(['system', 'stop'])).split('\n').sort().join(' '), 'always plain unless')
    assert.equal(await running(bale), '')
    assert.equal(await bale.run(['inspect', '-f', '{{.State.ExitCode}}', 'always']), '0')
    assert.equal((await bale.run(['system', 'start'])).split('\n').sort().join(' '), 'always unless')
    assert.equal(await running(bale), 'always unless')
  },
)

test(
  'a container that ends is started again as its policy says, also when somebody else has written its end down',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    await start(bale, 'twice', ['--restart', 'on-failure:2'], ['sh', '-c', 'exit 3'])
    const state = () => bale.run(['inspect', '-f', '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}', 'twice'])
    await until('it is given up after two restarts', async () => (await state()) === '2 exited 3')
    await start(bale, 'well', ['--restart', 'on-failure'], ['true'])
    await bale.run(['wait', 'well'])
    assert.equal(await bale.run(['inspect', '-f', '{{.RestartCount}}', 'well']), '0')
  },
)

test('on-unhealthy restarts a container that its check finds unhealthy, as often as it says', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const check = ['--health-cmd', 'test ! -e /sick', '--health-interval', '200ms', '--health-retries', '2']
  await start(bale, 'box', ['--restart', 'on-unhealthy:1', '--stop-timeout', '0', ...check])
  const count = () => bale.run(['inspect', '-f', '{{.RestartCount}} {{.State.Status}}', 'box'])
  await until(
    'healthy',
    async () => (await bale.run(['inspect', '-f', '{{.State.Health.Status}}', 'box'])) === 'healthy',
  )
  await bale.run(['exec', 'box', 'touch', '/sick'])
  await until('restarted once', async () => (await count()) === '1 running')
  // Its file is still there, and one restart was all that was asked for.
  await until(
    'left alone',
    async () => (await bale.run(['inspect', '-f', '{{.State.Health.Status}}', 'box'])) === 'unhealthy',
  )
  assert.equal(await count(), '1 running')
})
