import { spawnSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readTextSync } from '#host/file'

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string
}

/** A directory below the system's temporary directory; whatever is mounted below it is unmounted before it is removed. */
export async function temporaryDirectory(name = 'bale-test'): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), `${name}-`))
  const places = process.env['BALE_TEST_PLACES']
  if (places) appendFileSync(places, `${path} of ${process.argv[1]} ${new Date().toISOString()}\n`)
  return {
    path,
    async [Symbol.asyncDispose]() {
      // What a container's end started (its clean-up) may still be at work below the directory for a moment.
      for (let tries = 0; ; tries++) {
        for (const target of mountsBelow(path).reverse()) spawnSync('umount', ['-l', target])
        const removed = spawnSync('rm', ['-rf', '--', path], { encoding: 'utf8' })
        if (removed.status === 0) return
        if (tries === 50) throw new Error(`cannot remove ${path}: ${removed.stderr}`)
        await sleep(100)
      }
    },
  }
}

/** Mount points below a directory, in the order they were made. */
export function mountsBelow(directory: string): string[] {
  return readTextSync('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(`${directory}/`))
}
