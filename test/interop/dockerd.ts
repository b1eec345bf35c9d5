import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execute } from '../kit/bale.ts'
import { until } from '../kit/until.ts'

/** A dockerd of Debian's docker.io with a root of its own, for comparison. */
export interface TestDockerd extends AsyncDisposable {
  readonly socket: string
  readonly client: string
}

export const DOCKER_CLIENT = '/usr/bin/docker'

/** Starts a dockerd inside a namespace (`enter` comes before the program); it ends with this process in any case. */
export async function startDockerd(
  directory: string,
  enter: readonly string[],
  more: readonly string[] = [],
): Promise<TestDockerd> {
  if (!existsSync('/usr/sbin/dockerd')) throw new Error('Debian package docker.io is not installed')
  mkdirSync(directory, { recursive: true })
  const socket = `${directory}/docker.sock`
  const log = openSync(`${directory}/dockerd.log`, 'w')
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'TERM', '--', ...enter, '/usr/sbin/dockerd'],
      ...[
        '--data-root',
        `${directory}/data`,
        '--exec-root',
        `${directory}/exec`,
        '--pidfile',
        `${directory}/dockerd.pid`,
      ],
      // No rlimit above our own may be asked for where CAP_SYS_RESOURCE is missing.
      ...['-H', `unix://${socket}`, '--default-ulimit', 'nofile=1024:1024', '--storage-driver', 'overlay2'],
      ...more,
    ],
    { stdio: ['ignore', log, log] },
  )
  let ended = false
  child.on('exit', () => {
    ended = true
  })
  const dockerd: TestDockerd = {
    socket,
    client: DOCKER_CLIENT,
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill('SIGTERM')
      for (let tries = 0; tries < 150 && !ended; tries++) await sleep(100)
      if (!ended) child.kill('SIGKILL')
    },
  }
  try {
    return await until('dockerd answers', async () => {
      if (ended) throw new Error('it has ended')
      const answer = existsSync(socket) && (await execute(DOCKER_CLIENT, ['-H', `unix://${socket}`, 'version']))
      return answer && answer.code === 0 && dockerd
    })
  } catch (cause) {
    await dockerd[Symbol.asyncDispose]()
    const said = readFileSync(`${directory}/dockerd.log`, 'utf8').slice(-2000)
    throw new Error(`dockerd did not come up: ${said}`, { cause })
  }
}
