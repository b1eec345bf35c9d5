import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { execute, testBale } from '../kit/bale.ts'
import { layerVerbs } from './layer-verbs.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun, timeout: 180_000 }
const withCrun = {
  ...options,
  skip: cannotRun || (existsSync('/usr/bin/crun') ? false : 'Debian package crun is not installed'),
}

test(
  'crun runs containers in the foreground and detached, execs, pauses, stops, removes and builds',
  withCrun,
  async () => {
    await using bale = await testBale({ environment: () => ({ BALE_RUNTIME: 'crun' }) })
    await layerVerbs(bale)
  },
)

test(
  'containers keep the runtime that they were made with; codes, signals and limits are the same',
  withCrun,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const crun = { env: { BALE_RUNTIME: 'crun' } }
    await bale.run(['run', '-d', '--network', 'none', '--name', 'by-crun', 'busybox:1', 'sleep', '1000'], crun)
    assert.equal(await bale.run(['inspect', '--format', '{{.HostConfig.Runtime}}', 'by-crun']), 'crun')
    // Another default does not matter to a container that is there.
    const runc = { env: { BALE_RUNTIME: 'runc' } }
    assert.equal(
      await bale.run(['exec', 'by-crun', 'hostname'], runc),
      (await bale.run(['ps', '-q'], runc)).slice(0, 12),
    )
    await bale.run(['pause', 'by-crun'], runc)
    assert.match(await bale.run(['ps']), /Paused/)
    await bale.run(['unpause', 'by-crun'], runc)
    await bale.run(['kill', '-s', 'KILL', 'by-crun'], runc)
    assert.equal(await bale.run(['wait', 'by-crun'], runc), '137')
    await bale.run(['start', 'by-crun'], runc)
    await bale.run(['rm', '-f', 'by-crun'], runc)
    const codeOf = async (...command: string[]) =>
      (await bale.try(['run', '--rm', '--network', 'none', 'busybox:1', ...command], crun)).code
    assert.equal(await codeOf('sh', '-c', 'exit 42'), 42)
    assert.equal(await codeOf('no-such-command'), 127)
    assert.equal(await codeOf('/etc/passwd'), 126)
    const limits = ['--memory', '64m', '--pids-limit', '50', '--cap-drop', 'ALL', '--read-only']
    const seen = await bale.run(
      [
        'run',
        '--rm',
        '--network',
        'none',
        ...limits,
        'busybox:1',
        'grep',
        '-E',
        'CapEff|Seccomp:',
        '/proc/self/status',
      ],
      crun,
    )
    assert.match(seen, /CapEff:\t0{16}\nSeccomp:\t2/)
  },
)

test('runc is taken when nothing else is asked for', options, async () => {
  await using place = await prepared()
  const { bale } = place
  await bale.run(['create', '--name', 'made', 'busybox:1', 'true'], { env: { BALE_RUNTIME: 'auto' } })
  assert.equal(await bale.run(['inspect', '--format', '{{.HostConfig.Runtime}}', 'made']), 'runc')
  const unknown = await bale.try(['ps'], { env: { BALE_RUNTIME: 'kata' } })
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /unknown runtime: kata\nhint: one of: auto, runc, crun/)
})

test('a program that is missing is named with the Debian package that has it', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const program = join(process.cwd(), 'bin/bale')
  /** Runs a container on a machine where some programs cannot be executed. */
  const without = (missing: readonly string[], ...flags: string[]) => {
    const hide = missing.map((path) => `if [ -e ${path} ]; then mount --bind /dev/null ${path}; fi`).join('; ')
    const command = `${hide}; exec '${program}' run --rm ${flags.join(' ')} busybox:1 true`
    return execute('unshare', ['-m', 'sh', '-c', command], { env: { ...bale.environment, BALE_RUNTIME: 'auto' } })
  }
  for (const [missing, flags, words] of [
    [['/usr/sbin/runc', '/usr/bin/crun'], ['--network none'], /runc is not installed\nhint: apt-get install runc/],
    [['/usr/bin/conmon'], ['--network none'], /conmon is not installed\nhint: apt-get install conmon/],
    [['/usr/lib/podman/netavark'], [], /netavark is not installed\nhint: apt-get install netavark/],
  ] as const) {
    const outcome = await without(missing, ...flags)
    assert.equal(outcome.code, 125, outcome.stderr)
    assert.match(outcome.stderr, words)
  }
  assert.equal(await bale.run(['ps', '-aq']), '')
})
