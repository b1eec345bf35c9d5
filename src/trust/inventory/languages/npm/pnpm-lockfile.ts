import type { Analyser } from '../../analyser.ts'
import { createCollector } from '../../collector.ts'
import { lockfileNamed } from '../lockfile.ts'
import { type PnpmDocument, parsePnpmDocument, withoutPeers } from './pnpm-document.ts'

const DIRECTORY = 'node_modules'

/**
 * Packages that pnpm's lockfile lists, without those that are not needed to run the project, and those that are directories
 * of it. Source: pnpm/spec, lockfile/5.2.md, 6.0.md, 9.0.md.
 */
export const pnpmLockfile: Analyser = {
  name: 'pnpm-lockfile',
  language: true,
  installsInto: DIRECTORY,
  wants: ({ path }) => lockfileNamed(path, 'pnpm-lock.yaml', DIRECTORY),
  analyse: async (file) => {
    const document = parsePnpmDocument((await file.read()).toString())
    const unneeded = neededOtherwiseAlone(document)
    const collector = createCollector(file.path)
    for (const [key, entry] of document.packages) {
      if (entry.dev || unneeded.has(key) || /(?:^|@)file:/.test(key)) continue
      const written = document.major < 6 ? splitAtSlash(key) : splitAtSign(key)
      const name = entry.name || written.name
      const version = entry.version || written.version
      if (/[:/]/.test(version)) collector.miss('a package comes from no registry, so that its version is not known')
      else if (!collector.add({ type: 'npm', name, version })) break
    }
    return collector.result()
  },
}

/** What the project needs for development or for pnpm itself, and nothing that it runs needs. */
function neededOtherwiseAlone({ needed, neededOtherwise, needs }: PnpmDocument): Set<string> {
  const toRun = closure(needed, needs)
  return new Set([...closure(neededOtherwise, needs)].filter((key) => !toRun.has(key)))
}

function closure(start: readonly string[], needs: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set(start)
  // A set is walked in the order of insertion, and comes to what is added on the way.
  for (const key of reached) for (const next of needs.get(key) ?? []) reached.add(next)
  return reached
}

/** `/@scope/name/1.0.0_peer@2.0.0`; with the registry's host before it for another one than npm's. */
function splitAtSlash(key: string): { name: string; version: string } {
  const [, first = '', ...rest] = key.split('/')
  const name = first.startsWith('@') ? `${first}/${rest.shift() ?? ''}` : first
  return { name, version: (rest[0] ?? '').split('_')[0]! }
}

/** `/@scope/name@1.0.0(peer@2.0.0)` in format 6, the same without the first slash since. */
function splitAtSign(key: string): { name: string; version: string } {
  const text = withoutPeers(key.startsWith('/') ? key.slice(1) : key)
  const at = text.indexOf('@', 1)
  return at < 0 ? { name: '', version: '' } : { name: text.slice(0, at), version: text.slice(at + 1) }
}
