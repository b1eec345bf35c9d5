import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestBale } from './bale.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

export interface TestRegistry extends AsyncDisposable {
  /** `localhost:PORT`. */
  readonly host: string
}

/** `bale registry serve` as a process of its own, with a user `ann` who may write to `team/*`. */
export async function baleRegistry(bale: TestBale, password = 'correct-horse-battery'): Promise<TestRegistry> {
  const directory = `${bale.directory}/registry`
  await bale.run(['registry', 'user', 'add', '--root', directory, '--password-stdin', 'ann'], {
    input: `${password}\n`,
  })
  await bale.run(['registry', 'grant', '--root', directory, 'ann', 'team/*', 'write'])
  const program = resolve(import.meta.dirname, '../../bin/bale')
  const child = spawn(program, ['registry', 'serve', '--root', directory, '--listen', '127.0.0.1:0'], {
    env: bale.environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  return started(child, () => / at \S+:(\d+)\n/.exec(said)?.[1])
}

export const DOCKER_REGISTRY = '/usr/bin/docker-registry'

export const dockerRegistryMissing = existsSync(DOCKER_REGISTRY)
  ? undefined
  : 'Debian package docker-registry is not installed'

/** Debian's docker-registry, without users. */
export async function dockerRegistry(directory: string): Promise<TestRegistry> {
  mkdirSync(`${directory}/docker-registry`, { recursive: true })
  const port = await freePort()
  const config = `${directory}/docker-registry.yml`
  writeFileSync(
    config,
    `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${directory}/docker-registry\nhttp:\n  addr: 127.0.0.1:${port}\n`,
  )
  const child = spawn(DOCKER_REGISTRY, ['serve', config], { stdio: 'ignore' })
  return started(child, () => isAnswering(`http://127.0.0.1:${port}/v2/`).then((answers) => answers && port))
}

/** `portWhenUp` gives the port as soon as the server answers there. */
async function started(
  child: ChildProcess,
  portWhenUp: () => number | string | false | undefined | Promise<number | string | false | undefined>,
): Promise<TestRegistry> {
  const ended = new Promise<void>((done) => child.on('exit', () => done()))
  const port = await until('the registry is up', () => {
    if (child.exitCode !== null) throw new Error('the registry ended before it was up')
    return portWhenUp()
  })
  return {
    host: `localhost:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      // A server that keeps its connections is not asked for longer.
      await Promise.race([ended, sleep(5000, undefined, { ref: false })])
      child.kill('SIGKILL')
    },
  }
}

function isAnswering(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  )
}
