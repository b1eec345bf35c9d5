import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestBale } from './bale.ts'

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
  const port = await freePort()
  const program = resolve(import.meta.dirname, '../../bin/bale')
  const child = spawn(program, ['registry', 'serve', '--root', directory, '--listen', `127.0.0.1:${port}`], {
    env: bale.environment,
    stdio: 'ignore',
  })
  return started(child, port)
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
  return started(spawn(DOCKER_REGISTRY, ['serve', config], { stdio: 'ignore' }), port)
}

async function started(child: ChildProcess, port: number): Promise<TestRegistry> {
  const ended = new Promise<void>((done) => child.on('exit', () => done()))
  for (let tries = 0; ; tries++) {
    const up = await fetch(`http://127.0.0.1:${port}/v2/`).then(
      () => true,
      () => false,
    )
    if (up) break
    if (tries > 150 || child.exitCode !== null) throw new Error('the registry did not come up')
    await sleep(100)
  }
  return {
    host: `localhost:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await Promise.race([ended, sleep(5000)])
      child.kill('SIGKILL')
    },
  }
}

export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address ? done(address.port) : fail(new Error('no port'))))
    })
  })
}
