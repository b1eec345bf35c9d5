import { BaleError } from '#base'
import type { Analyser } from '../analyser.ts'
import { createCollector } from '../collector.ts'
import { isObject, memberOf, objectOf, parseDocument, textOf } from './json.ts'
import { lockfileNamed } from './lockfile.ts'

/** Large applications have some hundred kilobytes. */
const DEPENDENCIES_LIMIT = 32 << 20

/** Packages that are part of the runtime which an application brings with it have this before their name. */
const RUNTIME_PACK = 'runtimepack.'

/**
 * NuGet packages of .NET applications as they are published: those that have files for the application to run, and the
 * runtime if it brings its own. Source: dotnet/sdk, documentation/specs/runtime-configuration-file.md.
 */
export const dotnetDependencies: Analyser = {
  name: 'dotnet',
  language: true,
  wants: ({ path }) => (path.endsWith('.deps.json') ? { limit: DEPENDENCIES_LIMIT } : undefined),
  analyse: async (file) => {
    const { libraries, targets, runtimeTarget } = parseDocument(await file.read(), 'the list of dependencies')
    if (libraries === undefined && runtimeTarget === undefined) return {}
    if (!isObject(libraries)) throw new BaleError('INVALID_ARGUMENT', 'it has no list of libraries')
    const targetName = textOf(isObject(runtimeTarget) ? runtimeTarget['name'] : runtimeTarget)
    const target = objectOf(memberOf(objectOf(targets), targetName))
    const collector = createCollector(file.path)
    for (const [key, library] of Object.entries(libraries)) {
      const kind = textOf(objectOf(library)['type']).toLowerCase()
      if ((kind !== 'package' && kind !== 'runtimepack') || !isRun(memberOf(target, key))) continue
      const slash = key.lastIndexOf('/')
      const name = slash < 0 ? '' : key.slice(key.startsWith(RUNTIME_PACK) ? RUNTIME_PACK.length : 0, slash)
      if (!collector.add({ type: 'nuget', name, version: key.slice(slash + 1) })) break
    }
    return collector.result()
  },
}

/** Packages to compile with have no files for the run; of one that the target does not have, nothing is known. */
function isRun(library: unknown): boolean {
  if (!isObject(library)) return true
  return ['runtime', 'runtimeTargets', 'native', 'resources'].some(
    (kind) => Object.keys(objectOf(library[kind])).length > 0,
  )
}

/** Packages that NuGet's lockfile lists, for all frameworks that a project is made for. Source: learn.microsoft.com, NuGet. */
export const nugetLockfile: Analyser = {
  name: 'nuget-lockfile',
  language: true,
  installsInto: '.',
  wants: ({ path }) => lockfileNamed(path, 'packages.lock.json'),
  analyse: async (file) => {
    const { dependencies } = parseDocument(await file.read(), 'the lockfile')
    if (!isObject(dependencies)) throw new BaleError('INVALID_ARGUMENT', 'the lockfile has no list of dependencies')
    const collector = createCollector(file.path)
    for (const [name, entry] of Object.values(dependencies).flatMap((one) => Object.entries(objectOf(one)))) {
      const { type, resolved } = objectOf(entry)
      if (textOf(type).toLowerCase() === 'project') continue
      if (!collector.add({ type: 'nuget', name, version: textOf(resolved) })) break
    }
    return collector.result()
  },
}
