import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

export interface DockerRegistry extends AsyncDisposable {
  /** `localhost:PORT`. */
  readonly host: string
  /** Method and path of each request so far, in order. */
  requests(): string[]
}

/** Why Debian's docker-registry cannot run here, for `skip`; false when it can. */
export function withoutDockerRegistry(): string | false {
  try {
    execFileSync('docker-registry', ['--version'], { stdio: 'ignore' })
    return false
  } catch {
    return 'docker-registry is not installed (apt-get install docker-registry)'
  }
}

/** The user ann with the password `s3cret:word`, as htpasswd -B writes it. */
export const ann = { username: 'ann', password: 's3cret:word' } as const
const HTPASSWD = 'ann:$2y$05$TeWnA.n7LSXni8PuuXpQfeY1mJEmn8IiJJUt/8HQuX.vL3zXgu1Yi\n'

/** Debian's docker-registry on a loopback port, with or without logins, in a directory that goes with it. */
export async function startDockerRegistry(options: { login?: boolean } = {}): Promise<DockerRegistry> {
  const directory = mkdtempSync(join(tmpdir(), 'bale-registry-'))
  const port = await freePort()
  writeFileSync(join(directory, 'htpasswd'), HTPASSWD)
  const auth = options.login ? `auth:\n  htpasswd:\n    realm: test\n    path: ${join(directory, 'htpasswd')}\n` : ''
  writeFileSync(
    join(directory, 'config.yml'),
    `version: 0.1
log: {level: warn, accesslog: {disabled: false}}
storage:
  filesystem: {rootdirectory: ${join(directory, 'data')}}
  delete: {enabled: true}
http: {addr: '127.0.0.1:${port}', secret: test}
${auth}`,
  )
  // The surroundings may hold settings for its other drivers, which it would read even when they are not used.
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log += text))
  const host = `localhost:${port}`
  try {
    await answering(`http://${host}/v2/`, child, () => log)
  } catch (error) {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
  return {
    host,
    requests: () =>
      [...log.matchAll(/"(GET|HEAD|POST|PUT|PATCH|DELETE) (\/v2\/\S*) HTTP/g)].map(
        ([, method, path]) => `${method} ${path}`,
      ),
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await ended
      }
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function answering(url: string, child: ChildProcess, log: () => string): Promise<void> {
  await until('docker-registry answers', async () => {
    if (child.exitCode !== null) throw new Error(`docker-registry does not start: ${log()}`)
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => undefined,
    )
    return status === 200 || status === 401
  })
}
