import { BaleError } from '#base'
import type { Analyser } from '../../analyser.ts'
import { type Collector, createCollector } from '../../collector.ts'
import { lockfileNamed } from '../lockfile.ts'
import { blockEntries } from './block-entries.ts'

const DIRECTORY = 'node_modules'

/**
 * Packages that yarn's lockfile lists, of its first format and of the YAML that yarn has written since version 2. The file
 * does not tell which packages are for development alone, so those are included. Directories of the project are not.
 */
export const yarnLockfile: Analyser = {
  name: 'yarn-lockfile',
  language: true,
  installsInto: DIRECTORY,
  wants: ({ path }) => lockfileNamed(path, 'yarn.lock', DIRECTORY),
  analyse: async (file) => {
    const text = (await file.read()).toString()
    const collector = createCollector(file.path)
    let isLockfile = text.trim() === '' || text.includes('# yarn lockfile v1')
    for (const { ranges, version } of lockedPackages(text)) {
      if (ranges === '__metadata') isLockfile = true
      else if (!addPackage(collector, ranges, version)) break
    }
    if (!isLockfile) throw new BaleError('INVALID_ARGUMENT', 'it is not a lockfile of yarn')
    return collector.result()
  },
}

interface Locked {
  /** What the project and its packages ask for: `lodash@^4.1.0, lodash@npm:^4.2.0` */
  readonly ranges: string
  readonly version: string
}

function* lockedPackages(text: string): Generator<Locked> {
  let current: { ranges: string; version: string } | undefined
  for (const { path, value } of blockEntries(text)) {
    if (path.length === 1) {
      if (current) yield current
      current = { ranges: path[0]!, version: '' }
    } else if (path[1] === 'version' && current) current.version = value
  }
  if (current) yield current
}

/** Where a package is a directory of the project. */
const LOCAL = /^(?:workspace|link|portal|file):/

function addPackage(collector: Collector, ranges: string, version: string): boolean {
  const { name, range } = split(firstOf(ranges))
  if (LOCAL.test(range)) return true
  // `alias@npm:name@range`
  const other = range.startsWith('npm:') ? split(range.slice('npm:'.length)).name : ''
  return collector.add({ type: 'npm', name: other || name, version })
}

function firstOf(ranges: string): string {
  const comma = ranges.indexOf(', ')
  return comma < 0 ? ranges : ranges.slice(0, comma)
}

/** `@scope/name@range`: the name ends at the first `@` that does not begin it. */
function split(descriptor: string): { name: string; range: string } {
  const at = descriptor.indexOf('@', 1)
  return at < 0 ? { name: '', range: '' } : { name: descriptor.slice(0, at), range: descriptor.slice(at + 1) }
}
