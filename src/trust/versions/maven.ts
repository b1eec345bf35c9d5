import { bytewise } from '#base'
import { compareLists, compareNumerals, isNumeral } from './parts.ts'
import { versionScheme } from './version-scheme.ts'

interface Qualifier {
  /** Index in QUALIFIERS. */
  rank: number
  /** The word itself where it is an unknown one. */
  word: string
}

/** Digits, a word, or what follows a hyphen or stands where digits and letters meet. */
type Item = string | Qualifier | Item[]

const VERSION = /^[A-Za-z0-9._+-]+$/
const TOKENS = /[.-]|\d+|[^.\d-]+/g
const QUALIFIERS = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp']
const RELEASE = QUALIFIERS.indexOf('')
const UNKNOWN = QUALIFIERS.length
const ALIASES = new Map([
  ['ga', ''],
  ['final', ''],
  ['release', ''],
  ['cr', 'rc'],
])
const ALIASES_BEFORE_DIGITS = new Map([
  ['a', 'alpha'],
  ['b', 'beta'],
  ['m', 'milestone'],
])

/**
 * Versions of Maven artifacts. Source: POM Reference, "Version Order Specification"; ComparableVersion of Maven 3.8 and 3.9.
 * Maven's order goes in circles for odd texts (1-snapshot < 1 < 1.sp.1 < 1-snapshot), and so does this one.
 */
export const maven = versionScheme(parse, (left, right) => compareLists(left, right, compareItem))

function parse(text: string): Item[] | undefined {
  if (!VERSION.test(text)) return undefined
  const lists: Item[][] = [[]]
  const add = (item: Item) => lists.at(-1)!.push(item)
  const open = () => {
    const list: Item[] = []
    add(list)
    lists.push(list)
  }
  const tokens = text.toLowerCase().match(TOKENS)!
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1]
    if (isSeparator(token)) {
      if (index === 0 || isSeparator(tokens[index - 1])) add('0')
      if (token === '-') open()
      continue
    }
    // A word begins a list of its own, but not when a separator follows it.
    if (!isDigits(token) && !isSeparator(next) && lists.at(-1)!.length > 0) open()
    add(isDigits(token) ? token : qualifierOf(token, isDigits(next)))
    if (next !== undefined && !isSeparator(next)) open()
  }
  for (const list of lists.toReversed()) trim(list)
  return lists[0]
}

function isSeparator(token: string | undefined): boolean {
  return token === '.' || token === '-'
}

function isDigits(token: string | undefined): boolean {
  return token !== undefined && isNumeral(token)
}

function qualifierOf(text: string, isBeforeDigits: boolean): Qualifier {
  const word = (isBeforeDigits ? ALIASES_BEFORE_DIGITS.get(text) : undefined) ?? ALIASES.get(text) ?? text
  const rank = QUALIFIERS.indexOf(word)
  return rank < 0 ? { rank: UNKNOWN, word } : { rank, word: '' }
}

/** Drops what means nothing at the end, and before the lists at the end: zeros, release words, empty lists. */
function trim(list: Item[]): void {
  const kept = list.findLastIndex((item) => !Array.isArray(item) && !isNothing(item)) + 1
  list.push(...list.splice(kept).filter((item) => !isNothing(item)))
}

function isNothing(item: Item): boolean {
  if (Array.isArray(item)) return item.length === 0
  return typeof item === 'string' ? /^0+$/.test(item) : item.rank === RELEASE
}

function compareItem(left: Item | undefined, right: Item | undefined): number {
  if (left === undefined) return right === undefined ? 0 : 0 - compareWithNothing(right)
  if (right === undefined) return compareWithNothing(left)
  if (typeof left === 'string' && typeof right === 'string') return compareNumerals(left, right)
  if (Array.isArray(left) && Array.isArray(right)) return compareLists(left, right, compareItem)
  if (isQualifier(left) && isQualifier(right)) return left.rank - right.rank || bytewise(left.word, right.word)
  return kindOf(left) - kindOf(right)
}

function compareWithNothing(item: Item): number {
  if (Array.isArray(item)) return compareLists(item, [], compareItem)
  if (typeof item === 'string') return isNothing(item) ? 0 : 1
  return item.rank - RELEASE
}

/** Words come before lists, lists before numbers. */
function kindOf(item: Item): number {
  if (typeof item === 'string') return 2
  return Array.isArray(item) ? 1 : 0
}

function isQualifier(item: Item): item is Qualifier {
  return typeof item === 'object' && !Array.isArray(item)
}
