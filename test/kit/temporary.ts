import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
}

/** A folder below the system's temporary folder; whatever is mounted below it is unmounted before it is removed. */
export async function temporaryFolder(name = 'bale-test'): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `${name}-`))
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const target of mountsBelow(path).reverse()) execFileSync('umount', ['-l', target])
      execFileSync('rm', ['-rf', '--', path])
    },
  }
}

/** Mount points below a folder, in the order they were made. */
export function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(`${folder}/`))
}
