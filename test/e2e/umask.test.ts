import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { execute } from '../kit/bale.ts'
import { cannotRun, prepared } from './prepared.ts'

const program = resolve(import.meta.dirname, '../../bin/bale')

test('the umask of the caller changes nothing that a container sees', { skip: cannotRun }, async () => {
  await using place = await prepared()
  const { bale } = place
  const bin = (args: readonly string[]) =>
    execute('sh', ['-c', 'umask 077; exec "$@"', 'sh', program, ...args], { env: bale.environment })
  const look = 'cat /etc/resolv.conf /etc/hosts /etc/hostname >/dev/null && cd /vol && stat -c %a /vol / && umask'
  const run = await bin(['run', '--rm', '--user', '1000', '-v', 'vol:/vol', 'busybox:1', 'sh', '-c', look])
  assert.deepEqual([run.code, run.stdout], [0, '755\n755\n0022\n'], run.stderr)
  const bind = await bin([
    'run',
    '--rm',
    '--user',
    '1000',
    '-v',
    `${bale.directory}/new:/b`,
    'busybox:1',
    'stat',
    '-c',
    '%a',
    '/b',
  ])
  assert.deepEqual([bind.code, bind.stdout], [0, '755\n'], bind.stderr)
  const step = 'FROM busybox:1\nUSER 1000\nRUN cat /etc/resolv.conf /etc/hosts >/dev/null && umask\n'
  const build = await execute('sh', ['-c', 'umask 077; exec "$@"', 'sh', program, 'build', '-'], {
    env: bale.environment,
    input: step,
  })
  assert.equal(build.code, 0, build.stderr)
})
