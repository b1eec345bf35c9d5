import { BaleError } from '#base'
import type { Analyser } from '../analyser.ts'
import { createCollector } from '../collector.ts'
import { isInside } from './file-names.ts'

/** RubyGems leaves the list of files out, so that real ones have some kilobytes. */
const GEMSPEC_LIMIT = 1 << 20
/** Characters of a line that are looked at. */
const LONGEST_LINE = 4096

/**
 * Gems as they are installed, by the specification that RubyGems writes for each, also for those that come with Ruby
 * (`default`). It is Ruby that only RubyGems should write: nothing is evaluated, only its plain assignments are read.
 */
export const gemspec: Analyser = {
  name: 'gem',
  language: true,
  wants: ({ path }) =>
    path.endsWith('.gemspec') && isInside(path, 'specifications') ? { limit: GEMSPEC_LIMIT } : undefined,
  analyse: async (file) => {
    const assigned = assignments((await file.read()).toString())
    const [name = '', version = ''] = [assigned.get('name')?.[0], assigned.get('version')?.[0]]
    if (name === '' || version === '')
      throw new BaleError('INVALID_ARGUMENT', 'it does not say the name and the version as RubyGems writes them')
    const collector = createCollector(file.path)
    collector.add({
      type: 'gem',
      name,
      version,
      licences: assigned.get('licenses') ?? assigned.get('license') ?? [],
    })
    return collector.result()
  },
}

/** `  s.licenses = ["MIT".freeze, "Ruby".freeze]` */
const ASSIGNMENT = /^[ \t]{0,16}[a-z_]\w{0,31}\.(name|version|licenses?)[ \t]{0,16}=(?![=~])/

/** The strings of the first assignment to each attribute. */
function assignments(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const line of text.split('\n')) {
    const start = ASSIGNMENT.exec(line)
    if (start && !found.has(start[1]!)) found.set(start[1]!, stringsOf(line.slice(start[0].length, LONGEST_LINE)))
  }
  return found
}

/** `"x".freeze`, `Gem::Version.new("x")`, and `%q{x}` of RubyGems before 1.9: what is in quotes. */
function stringsOf(expression: string): string[] {
  const quoted = expression.matchAll(/(?:"((?:[^"\\]|\\.){0,512})"|%q\{([^{}]{0,512})\})/g)
  return Array.from(quoted, ([, text, plain]) => plain ?? text!.replace(/\\(.)/g, '$1'))
}
