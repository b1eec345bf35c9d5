import { compareLists, compareNumerals } from './parts.ts'
import { versionScheme } from './version-scheme.ts'

interface DebianVersion {
  epoch: string
  upstream: string[]
  revision: string[]
}

const NUMERAL = /^\d+$/
const UPSTREAM = /^\d[A-Za-z0-9.+~:-]*$/
const REVISION = /^[A-Za-z0-9.+~]+$/

/** `[epoch:]upstream[-revision]`. Source: Debian Policy, section 5.6.12; deb-version(7). */
export const deb = versionScheme(parse, compare)

function parse(text: string): DebianVersion | undefined {
  const colon = text.indexOf(':')
  const hyphen = text.lastIndexOf('-')
  const epoch = colon < 0 ? '0' : text.slice(0, colon)
  const upstream = text.slice(colon + 1, hyphen < 0 ? undefined : hyphen)
  const revision = hyphen < 0 ? '0' : text.slice(hyphen + 1)
  if (!NUMERAL.test(epoch) || !UPSTREAM.test(upstream) || !REVISION.test(revision)) return undefined
  return { epoch, upstream: alternating(upstream), revision: alternating(revision) }
}

function compare(left: DebianVersion, right: DebianVersion): number {
  return (
    compareNumerals(left.epoch, right.epoch) ||
    compareLists(left.upstream, right.upstream, comparePart) ||
    compareLists(left.revision, right.revision, comparePart)
  )
}

/** `1.2~rc3` → '', 1, '.', 2, '~rc', 3, '': words at even places, numerals at odd ones. */
function alternating(text: string): string[] {
  return text.split(/(\d+)/)
}

function comparePart(left: string | undefined, right: string | undefined, index: number): number {
  if (index % 2 === 1) return compareNumerals(left ?? '0', right ?? '0')
  return left === right ? 0 : compareLists([...(left ?? '')], [...(right ?? '')], compareCharacter)
}

function compareCharacter(left: string | undefined, right: string | undefined): number {
  return weightOf(left) - weightOf(right)
}

/** `~` comes before the end of the word, the end before letters, letters before everything else. */
function weightOf(character: string | undefined): number {
  if (character === undefined) return 0
  if (character === '~') return -1
  return character.charCodeAt(0) + (/[A-Za-z]/.test(character) ? 0 : 256)
}
