import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { execute } from '../kit/bale.ts'
import { cannotRun, prepared } from './prepared.ts'

const STRACE = '/usr/bin/strace'
const CONMON = '/usr/bin/conmon'
const missing = [STRACE, CONMON].find((path) => !existsSync(path))
const options = { skip: cannotRun || (missing !== undefined && `needs ${missing}`) }

/**
 * On an overloaded machine a monitor may be kept from running at any moment. Here it is at its first and second look at its
 * sockets, for longer than the container lives: by then the container has been started, has written and has exited.
 */
for (const when of [1, 2])
  test(
    `a short container's output is shown although its monitor is slow at its poll number ${when}`,
    options,
    async () => {
      await using place = await prepared()
      const { bale } = place
      const conmon = join(bale.directory, 'conmon')
      copyFileSync(CONMON, conmon)
      const slow = join(bale.directory, 'slow-conmon')
      const inject = `-e trace=poll,ppoll -e inject=poll,ppoll:delay_exit=1500000:when=${when}`
      writeFileSync(slow, `#!/bin/sh\nexec ${STRACE} -f -A -o '${slow}.calls' ${inject} '${conmon}' "$@"\n`)
      chmodSync(slow, 0o755)
      await bale.run(['create', '--name', 'made', '--network', 'none', 'busybox:1', 'echo', 'made'])
      await bale.run(['run', '-d', '--name', 'box', '--network', 'none', 'busybox:1', 'sleep', '1000'])
      for (const [args, shown] of [
        ['run --rm --network none busybox:1 echo run', 'run\n'],
        ['start -a made', 'made\n'],
        ['exec box echo executed', 'executed\n'],
      ]) {
        const script = `mount --bind '${slow}' ${CONMON} && exec ${process.cwd()}/bin/bale ${args}`
        const { code, stdout, stderr } = await execute(
          'unshare',
          ['-m', '--propagation', 'slave', 'sh', '-c', script],
          {
            env: bale.environment,
          },
        )
        assert.deepEqual([code, stdout], [0, shown], `${args}: ${stderr}`)
      }
      const delayed = readFileSync(`${slow}.calls`, 'utf8').match(/\(DELAYED\)/g)
      assert.ok(delayed && delayed.length >= 2, 'the monitors of run and start were slow')
    },
  )
