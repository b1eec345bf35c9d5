import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { TRIVY, withoutTrivy, writeEmptyDatabases } from '../../test/kit/trivy.ts'
import { basic, firstLine, type Tool } from './tool.ts'

export async function trivyTool(directory: string): Promise<Tool> {
  if (withoutTrivy) throw new Error(withoutTrivy)
  const env = basic()
  const cache = join(directory, 'cache')
  return {
    name: 'trivy',
    version: `trivy ${await firstLine([TRIVY, '--version'], env)}`,
    env,
    about: [TRIVY, '--version'],
    /** With an empty cache, since it keeps what it has seen of a layer, and without advisories. */
    async inventory(archive, file) {
      rmSync(cache, { recursive: true, force: true })
      mkdirSync(cache, { recursive: true })
      await writeEmptyDatabases(cache)
      const offline = ['--offline-scan', '--skip-db-update', '--skip-java-db-update']
      const input = ['--input', archive, '--cache-dir', cache]
      return [TRIVY, 'image', ...input, ...offline, '--format', 'cyclonedx', '-q', '-o', file]
    },
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
