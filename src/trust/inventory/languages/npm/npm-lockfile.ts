import { BaleError } from '#base'
import type { Analyser } from '../../analyser.ts'
import { type Collector, createCollector } from '../../collector.ts'
import { isObject, type JsonObject, objectOf, parseDocument, textOf } from '../json.ts'
import { lockfileNamed } from '../lockfile.ts'
import { npmLicences } from './npm-manifest.ts'

const DIRECTORY = 'node_modules'

/**
 * Packages that npm's lockfile lists, without those for development alone and those that are directories of the project.
 * Source: docs.npmjs.com, "package-lock.json", versions 1 to 3.
 */
export const npmLockfile: Analyser = {
  name: 'npm-lockfile',
  language: true,
  installsInto: DIRECTORY,
  wants: ({ path }) =>
    lockfileNamed(path, 'package-lock.json', DIRECTORY) ?? lockfileNamed(path, 'npm-shrinkwrap.json', DIRECTORY),
  analyse: async (file) => {
    const lockfile = parseDocument(await file.read(), 'the lockfile')
    const { packages, dependencies, lockfileVersion } = lockfile
    const collector = createCollector(file.path)
    if (isObject(packages)) addByPath(collector, packages)
    else if (isObject(dependencies)) addTree(collector, dependencies)
    else if (packages !== undefined || dependencies !== undefined || lockfileVersion === undefined)
      throw new BaleError('INVALID_ARGUMENT', 'the lockfile has no list of packages')
    return collector.result()
  },
}

/** Versions 2 and 3: by the path of each package. Other paths than those in node_modules are the project itself. */
function addByPath(collector: Collector, packages: JsonObject): void {
  for (const [path, value] of Object.entries(packages)) {
    const start = path.lastIndexOf('node_modules/')
    const entry = objectOf(value)
    if (start < 0 || isTrue(entry['link']) || isTrue(entry['dev'])) continue
    const name = textOf(entry['name']) || path.slice(start + 'node_modules/'.length)
    const added = collector.add({
      type: 'npm',
      name,
      version: textOf(entry['version']),
      licences: npmLicences(entry),
    })
    if (!added) return
  }
}

/** Version 1: by name, with what is installed inside a package as its own dependencies. */
function addTree(collector: Collector, dependencies: JsonObject): void {
  const open = [dependencies]
  for (let level = open.pop(); level; level = open.pop()) {
    for (const [name, value] of Object.entries(level)) {
      const entry = objectOf(value)
      if (isTrue(entry['dev'])) continue
      if (!addFromTree(collector, name, textOf(entry['version']))) return
      if (isObject(entry['dependencies'])) open.push(entry['dependencies'])
    }
  }
}

/** The version is also where a package comes from, when that is not a registry: `npm:name@1.0.0` under another name. */
function addFromTree(collector: Collector, name: string, version: string): boolean {
  if (version.startsWith('file:')) return true
  const at = version.lastIndexOf('@')
  if (version.startsWith('npm:') && at > 'npm:'.length)
    return collector.add({ type: 'npm', name: version.slice('npm:'.length, at), version: version.slice(at + 1) })
  if (!version.includes(':') && !version.includes('/')) return collector.add({ type: 'npm', name, version })
  collector.miss('a package comes from no registry, so that its version is not known')
  return true
}

function isTrue(value: unknown): boolean {
  return value === true
}
