import { printable } from '#base'
import { createCollector } from '../../collector.ts'
import type { FoundInFile } from '../../model.ts'
import { packageUrlReader } from './purl-package.ts'

/** A component of a bill of materials. */
export interface Component {
  /** Package URL; empty for none. */
  readonly url: string
  readonly licences: readonly string[]
  /** A piece of software: not a file, not an operating system, not what the bill of materials is about. */
  readonly isSoftware: boolean
}

/** Packages that are no software: they hold the others. */
const CONTAINERS = new Set(['oci', 'docker'])

/**
 * The packages among the components of the bill of materials at `where`. Components that cannot be matched with
 * advisories, because they have no package URL or one of a type that is not covered, are counted in gaps.
 */
export async function collectComponents(where: string, components: Iterable<Component>): Promise<FoundInFile> {
  const collector = createCollector(where)
  const read = await packageUrlReader()
  const uncovered: string[] = []
  let unnamed = 0
  for (const { url, licences, isSoftware } of components) {
    const answer = read(url)
    if (url === '') unnamed += isSoftware ? 1 : 0
    else if (!answer) collector.miss('a component has a package URL that cannot be read')
    else if ('uncovered' in answer) uncovered.push(answer.uncovered)
    else if (!collector.add({ ...answer.found, licences })) break
  }
  const software = uncovered.filter((type) => !CONTAINERS.has(type))
  if (unnamed > 0) collector.miss(`${count(unnamed)} without a package URL`)
  if (software.length > 0)
    collector.miss(`${count(software.length)} of kinds that are not covered (${names(software)})`)
  return collector.result()
}

function count(components: number): string {
  return components === 1 ? '1 component' : `${components} components`
}

/** Types that are named of those that are not covered. */
const MOST_NAMED = 5

function names(types: readonly string[]): string {
  const different = [...new Set(types)].sort()
  const named = different.slice(0, MOST_NAMED).map((one) => printable(one, 20))
  return different.length > MOST_NAMED ? `${named.join(', ')}, …` : named.join(', ')
}
