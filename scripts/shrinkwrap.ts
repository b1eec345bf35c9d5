/**
 * Writes npm-shrinkwrap.json, the versions and digests of package-lock.json without those of development: who installs the
 * published package gets what was tested. `npm pack` makes it (prepack) and takes it away (postpack).
 */
import { rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readTextSync } from '#host/file'

const path = resolve(import.meta.dirname, '../npm-shrinkwrap.json')

interface Lock {
  packages: Record<string, { dev?: boolean; devDependencies?: unknown; integrity?: string }>
}

if (process.argv[2] === 'remove') rmSync(path, { force: true })
else {
  const lock = JSON.parse(readTextSync(resolve(import.meta.dirname, '../package-lock.json'))) as Lock
  const kept = Object.entries(lock.packages).filter(([, one]) => !one.dev)
  const packages = Object.fromEntries(kept.map(([name, { devDependencies: _, ...one }]) => [name, one]))
  for (const [name, { integrity }] of Object.entries(packages))
    if (name !== '' && !integrity) throw new Error(`package-lock.json has no digest of ${name}`)
  writeFileSync(path, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`)
}
