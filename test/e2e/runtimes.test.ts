import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { execute, testBale } from '../kit/bale.ts'
import { layerVerbs } from './layer-verbs.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
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

test(
  'crun is taken when nothing else is asked for, runc where the machine must see what a container mounts',
  withCrun,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const auto = { env: { BALE_RUNTIME: 'auto' } }
    const runtimeOf = (name: string) => bale.run(['inspect', '--format', '{{.HostConfig.Runtime}}', name], auto)
    await bale.run(['run', '--name', 'plain', '--network', 'none', 'busybox:1', 'true'], auto)
    assert.equal(await runtimeOf('plain'), 'crun')
    assert.equal(await bale.run(['info', '-f', '{{.DefaultRuntime}}'], auto), 'crun')
    const shared = join(bale.directory, 'shared')
    mkdirSync(shared)
    // A bind can be shared only where its source is.
    await execute('mount', ['--bind', '--make-shared', shared, shared])
    const bind = ['-v', `${shared}:/shared:rshared`]
    await bale.run(['run', '--name', 'sharing', '--network', 'none', ...bind, 'busybox:1', 'true'], auto)
    const hybrid = existsSync('/sys/fs/cgroup/unified') && existsSync('/usr/sbin/runc')
    assert.equal(await runtimeOf('sharing'), hybrid ? 'runc' : 'crun')
  },
)

test('an unknown runtime is refused with the known ones', options, async () => {
  await using place = await prepared()
  const unknown = await place.bale.try(['ps'], { env: { BALE_RUNTIME: 'kata' } })
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /unknown runtime: kata\nhint: one of: auto, runc, crun/)
})

test('info and system check name a runtime with published holes', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const version = await execute('runc', ['--version'])
  const isOld = /^runc version 1\.1\.5/.test(version.stdout)
  const names = /Known vulnerabilities of runc 1\.1\.5\S* \(used only on request\): .*CVE-2025-31133/
  const [info, check] = [await bale.run(['info']), await bale.try(['system', 'check'])]
  assert.match(info, /^Security Options: .*seccomp,builtin$/m)
  assert.match(info, /^AppArmor: (profile bale-default|not applied, .+)$/m)
  assert.equal(names.test(info), isOld)
  assert.equal(names.test(check.stderr), isOld)
  assert.equal(check.code, 0)
})
