import { bytewise } from '#base'
import { compareLists, compareNumerals } from './parts.ts'
import { versionScheme } from './version-scheme.ts'

interface Part {
  /** Place among the parts that may stand here; higher is newer. */
  rank: number
  value: string
  /** The value is digits to be compared as a number. */
  numeric: boolean
}

const VERSION = /^\d+(?:\.\d+)*[a-z]?(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*(?:~[0-9a-f]+)?(?:-r\d+)?$/
const PARTS = /\.\d+|_[a-z]+|~[0-9a-f]+|-r\d+|\d+|[a-z]/g

/** What may follow equal beginnings, oldest first; `` is the end of the version. */
const RANKS = ['_alpha', '_beta', '_pre', '_rc', '', '-r', '~', '0', '_cvs', '_svn', '_git', '_hg', '_p', 'a', '.']
const END = RANKS.indexOf('')

/**
 * `digits{.digits}[letter]{_suffix[digits]}[~hash][-rdigits]`. Source: apk-package(5) and version.c of apk-tools 3. apk-tools 2
 * differs in components with leading zeros alone (there 1.00 < 1.0 and 1.02 < 1.010).
 */
export const apk = versionScheme(parse, (left, right) => compareLists(left, right, comparePart))

function parse(text: string): Part[] | undefined {
  return VERSION.test(text) ? text.match(PARTS)!.map(partOf) : undefined
}

function partOf(text: string): Part {
  const first = text[0]!
  if (first === '_') return { rank: RANKS.indexOf(text), value: '', numeric: false }
  if (first === '-') return { rank: RANKS.indexOf('-r'), value: text.slice(2), numeric: true }
  if (first === '~') return { rank: RANKS.indexOf('~'), value: text.slice(1), numeric: false }
  if (first === '.') return { rank: RANKS.indexOf('.'), value: text.slice(1), numeric: text[1] !== '0' }
  if (first >= 'a') return { rank: RANKS.indexOf('a'), value: text, numeric: false }
  return { rank: RANKS.indexOf('0'), value: text, numeric: true }
}

/** Two components of which one begins with 0 are compared like decimal fractions: 1.05 < 1.1. */
function comparePart(left: Part | undefined, right: Part | undefined): number {
  const difference = (left?.rank ?? END) - (right?.rank ?? END)
  if (difference !== 0 || left === undefined || right === undefined) return difference
  const compare = left.numeric && right.numeric ? compareNumerals : bytewise
  return compare(left.value, right.value)
}
