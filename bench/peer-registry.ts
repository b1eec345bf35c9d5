import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../test/kit/free-port.ts'

/** Debian's docker-registry on loopback: the same server for all that are compared. */
export async function startPeerRegistry(directory: string): Promise<{ host: string } & AsyncDisposable> {
  const port = await freePort()
  const config = `${directory}/registry.yml`
  writeFileSync(
    config,
    `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${directory}/registry\n  delete:\n    enabled: true\nhttp:\n  addr: 127.0.0.1:${port}\n`,
  )
  // It ends with the bench, however that ends.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', '/usr/bin/docker-registry', 'serve', config], {
    stdio: 'ignore',
  })
  for (let tries = 0; ; tries++) {
    const up = await fetch(`http://127.0.0.1:${port}/v2/`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (up) break
    if (tries > 100) throw new Error('docker-registry did not come up')
    await sleep(100)
  }
  return {
    host: `localhost:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
    },
  }
}
