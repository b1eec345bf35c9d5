import { compareLists, compareNumerals } from './parts.ts'
import { versionScheme } from './version-scheme.ts'

/** Digits, or the place of a word among STABILITIES. */
type Part = string | number

const MODIFIER = '(?:[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)(\\d*(?:[.-]\\d+)*))?([.-]?dev)?)$'
const CLASSICAL = new RegExp(`^v?(\\d{1,5}(?:\\.\\d+){0,3})${MODIFIER}`)
const DATE = new RegExp(`^v?(\\d{4}(?:[.:-]?\\d{2}){1,6}(?:[.:-]?\\d{1,3}){0,2})${MODIFIER}`)
const BRANCH = /^v?(\d+(?:\.(?:\d+|[x*])){0,3})[.-]?dev$/
const BUILD = /^([^,\s+]+)\+\S+$/

/** By first letter. `#` stands for a number, and nothing counts as slightly less than any number. */
const STABILITIES = ['d', 'a', 'b', 'r', '', '#', 'p']
const DEV = STABILITIES.indexOf('d')
const END = STABILITIES.indexOf('')
const NUMBER = STABILITIES.indexOf('#')
const ANY = '9999999'

/**
 * Versions of PHP packages, and numeric branches such as `1.x-dev`. Named branches (`dev-main`) have no place in an order and
 * are no versions. Source: VersionParser::normalize() of composer/semver, version_compare() of PHP.
 */
export const composer = versionScheme(parse, (left, right) => compareLists(left, right, comparePart))

function parse(text: string): Part[] | undefined {
  const plain = text.toLowerCase().replace(BUILD, '$1')
  const classical = CLASSICAL.exec(plain)
  if (classical) return [...padded(classical[1]!.split('.'), '0'), ...modifiersOf(classical)]
  const date = DATE.exec(plain)
  if (date) return [...date[1]!.split(/\D/), ...modifiersOf(date)]
  const branch = BRANCH.exec(plain)
  return branch ? [...padded(branch[1]!.split('.').map(numberOrAny), ANY), DEV] : undefined
}

function modifiersOf([, , word, counts, dev]: RegExpExecArray): Part[] {
  if (word === 'stable') return []
  const modifier = word === undefined ? [] : [STABILITIES.indexOf(word[0]!), ...(counts!.match(/\d+/g) ?? [])]
  return dev === undefined ? modifier : [...modifier, DEV]
}

function padded(numbers: readonly string[], filling: string): string[] {
  return [...numbers, filling, filling, filling].slice(0, 4)
}

function numberOrAny(part: string): string {
  return part === 'x' || part === '*' ? ANY : part
}

function comparePart(left: Part | undefined, right: Part | undefined): number {
  if (typeof left === 'string' && typeof right === 'string') return compareNumerals(left, right)
  return placeOf(left) - placeOf(right)
}

function placeOf(part: Part | undefined): number {
  if (part === undefined) return END
  return typeof part === 'string' ? NUMBER : part
}
