/** What the shell of the caller has (limits, niceness, CPUs, umask, ignored signals, variables) does not reach a container. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { execute, type Outcome, type TestBale } from '../kit/bale.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }
const program = resolve(import.meta.dirname, '../../bin/bale')

/** All that a process has of whoever started it, as text. */
const SHOW = [
  'for limit in n s l c v f u t d q i; do printf "$limit=%s/%s " $(ulimit -S$limit 2>/dev/null) $(ulimit -H$limit 2>/dev/null); done',
  'echo nice=$(cut -d" " -f19 /proc/self/stat) class=$(cut -d" " -f41 /proc/self/stat)',
  'grep -E "^(Cpus_allowed_list|Sig(Blk|Ign)|NoNewPrivs|CapBnd|Groups|Seccomp):" /proc/self/status',
  'echo oom=$(cat /proc/self/oom_score_adj) umask=$(umask) cwd=$(pwd) variable=$VARIABLE of-shell=$OF_SHELL terminal=$(cut -d" " -f7 /proc/self/stat)',
].join('; ')

/** As somebody's shell may be. A hard limit cannot be raised again without CAP_SYS_RESOURCE, so only soft ones. */
const DIRTY = `umask 077; ulimit -Sn 300; ulimit -Ss 4000; ulimit -Sl 20; ulimit -Sv 90000000; ulimit -Sf 2000000; ulimit -Sq 1000
echo 300 > /proc/self/oom_score_adj; trap '' HUP INT QUIT USR1; export OF_SHELL=leaked
exec nice -n 7 taskset -c 0 ${existsSync('/usr/bin/ionice') ? 'ionice -c 3' : ''} "$@"`

function dirty(bale: TestBale, args: readonly string[]): Promise<Outcome> {
  const env = { ...bale.environment, OF_SHELL: '' }
  return execute('/bin/bash', ['-c', DIRTY, '-', program, ...args], { env })
}

async function dirtily(bale: TestBale, args: readonly string[]): Promise<string> {
  const outcome = await dirty(bale, args)
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome.stdout.trim()
}

test('run, exec, a health check and a build step are the same from any shell', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const run = ['run', '--rm', '--network', 'none', 'busybox:1', 'sh', '-c', SHOW]
  const clean = await bale.run(run)
  assert.match(clean, /n=\d+\/\d+ .*\n?.*nice=0 class=0\n/s)
  assert.match(clean, /umask=0022 cwd=\/ variable= of-shell= terminal=0/)
  assert.match(clean, /^SigIgn:\s+0+$/m)
  assert.equal(await dirtily(bale, run), clean, 'run')

  const health = ['--health-cmd', `{ ${SHOW}; } > /seen`, '--health-interval', '1s']
  await dirtily(bale, ['run', '-d', '--name', 'box', '--network', 'none', ...health, 'busybox:1', 'sleep', '1000'])
  assert.equal(await dirtily(bale, ['exec', 'box', 'sh', '-c', SHOW]), clean, 'exec')
  let seen = ''
  for (let look = 0; look < 60 && !seen.includes('terminal='); look++)
    seen = (await bale.try(['exec', 'box', 'cat', '/seen'])).stdout.trim()
  assert.equal(seen, clean, 'a health check')

  const context = join(bale.directory, 'context')
  mkdirSync(context)
  writeFileSync(join(context, 'show.sh'), SHOW)
  writeFileSync(
    join(context, 'Dockerfile'),
    'FROM busybox:1\nCOPY show.sh /\nRUN --network=none ["sh", "-c", ". /show.sh > /seen"]\n',
  )
  await dirtily(bale, ['build', '-q', '-t', 'built:1', context])
  assert.equal(await bale.run(['run', '--rm', 'built:1', 'cat', '/seen']), clean, 'a build step')
})

test(
  'exec has the limits, privileges, groups, variables and directory of its container, whatever the shell',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const own = [
      ...['--ulimit', 'nofile=123:456', '--ulimit', 'core=0', '--ulimit', 'nproc=500', '--oom-score-adj', '200'],
      ...['--security-opt', 'no-new-privileges', '--cap-drop', 'CHOWN', '--group-add', '44', '-e', 'VARIABLE=value'],
      ...['-w', '/tmp', '--network', 'none'],
    ]
    const first = await bale.run(['run', '--rm', ...own, 'busybox:1', 'sh', '-c', SHOW])
    assert.match(first, /n=(123|456)\/456 .*c=0\/0 .*u=500\/500/)
    assert.match(first, /oom=200 umask=0022 cwd=\/tmp variable=value/)
    await dirtily(bale, ['run', '-d', '--name', 'box', ...own, 'busybox:1', 'sleep', '1000'])
    assert.equal(await dirtily(bale, ['exec', 'box', 'sh', '-c', SHOW]), first)
    await bale.run(['restart', '-t', '0', 'box'])
    assert.equal(await bale.run(['exec', 'box', 'sh', '-c', SHOW]), first, 'after a restart')
  },
)
