import { printable } from '#base'
import type { FoundInFile, FoundPackage } from '../model.ts'
import type { Coordinates } from './java-coordinates.ts'

/** Names of archives from a file inwards, beginning with its path. */
export type Trail = readonly string[]

/** Gathers what a file and the archives inside it say. */
export interface JavaFindings {
  add(coordinates: Coordinates): void
  /** Notes an archive that does not say what it is. */
  addNameless(archive: Trail): void
  /** Notes something that could not be looked at, in words. */
  miss(part: Trail, reason: string): void
  /** True as long as no artifact was found. */
  isEmpty(): boolean
  result(where: string): FoundInFile
}

/** In a message. */
const MOST_NAMES = 5
const LONGEST_NAME = 200

export function createFindings(): JavaFindings {
  const found = new Map<string, FoundPackage>()
  const nameless = createTally()
  const missed = createTally()
  let stopped: string | undefined
  return {
    add({ group, artifact, version }) {
      const name = `${group}:${artifact}`
      found.set(`${name}@${version}`, { type: 'maven', name, version })
    },
    addNameless: (archive) => nameless.add(() => (archive.length === 1 ? '' : labelOf(archive))),
    miss(part, reason) {
      if (part.length === 1) stopped = reason
      else missed.add(() => `${labelOf(part)} cannot be read: ${reason}`)
    },
    isEmpty: () => found.size === 0,
    result(where) {
      const reasons = stopped === undefined ? missed.first : [stopped, ...missed.first]
      if (missed.rest() > 0) reasons.push(`${missed.rest()} more parts cannot be read`)
      if (nameless.first.length > 0) reasons.push(aboutNameless(nameless.first, nameless.rest()))
      return { packages: [...found.values()], gaps: reasons.map((reason) => ({ where, reason })) }
    },
  }
}

/** The first few, and the number of the others. */
function createTally() {
  const first: string[] = []
  let count = 0
  return {
    first,
    rest: () => count - first.length,
    add(text: () => string): void {
      if (count++ < MOST_NAMES) first.push(text())
    },
  }
}

/** The way from the file inwards, without the file: `lib/a.jar!/lib/b.jar`. */
function labelOf(trail: Trail): string {
  return printable(trail.slice(1).join('!/'), LONGEST_NAME)
}

function aboutNameless(names: readonly string[], rest: number): string {
  if (names[0] === '') return 'it does not say which Maven artifact it is'
  return `archives in it do not say which Maven artifacts they are: ${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}
