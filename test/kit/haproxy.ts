/** Debian's haproxy before several servers of a test: each request goes to the next one that answers /readyz. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { temporaryDirectory } from './temporary.ts'
import { until } from './until.ts'

export interface Balancer extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  address: string
}

/** Why it cannot run on this machine, for `skip`; false when it can. */
export function withoutHaproxy(): string | false {
  try {
    execFileSync('haproxy', ['-v'], { stdio: 'ignore' })
    return false
  } catch {
    return 'haproxy is not installed (apt-get install haproxy)'
  }
}

/** Balances over servers (`127.0.0.1:PORT`) without any stickiness. A server that is gone is out after a second. */
export async function startHaproxy(servers: readonly string[]): Promise<Balancer> {
  const directory = await temporaryDirectory('bale-haproxy')
  const port = await freePort()
  const path = join(directory.path, 'haproxy.cfg')
  await writeFile(path, configuration(port, servers))
  const child = spawn('haproxy', ['-db', '-f', path], { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
  const dispose = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await directory[Symbol.asyncDispose]()
  }
  const address = `127.0.0.1:${port}`
  try {
    await until('haproxy sees a server', async () => {
      if (child.exitCode !== null) throw new Error(`haproxy does not start: ${log}`)
      return await fetch(`http://${address}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      )
    })
  } catch (error) {
    await dispose()
    throw error
  }
  return { address, [Symbol.asyncDispose]: dispose }
}

function configuration(port: number, servers: readonly string[]): string {
  return `
global
  maxconn 2000
defaults
  mode http
  timeout connect 2s
  timeout client 300s
  timeout server 300s
  timeout http-request 10s
  timeout check 5s
  option redispatch 1
  retries 3
  retry-on conn-failure
  no option http-buffer-request
frontend clients
  bind 127.0.0.1:${port}
  default_backend replicas
backend replicas
  balance roundrobin
  option forwardfor
  option httpchk GET /readyz
  http-check expect status 200
  default-server inter 300ms fall 2 rise 1
${servers.map((server, number) => `  server r${number} ${server} check`).join('\n')}
`
}
