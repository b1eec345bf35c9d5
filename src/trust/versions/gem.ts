import { bytewise } from '#base'
import { compareLists, compareNumerals, isNumeral } from './parts.ts'
import { versionScheme } from './version-scheme.ts'

const VERSION = /^\d+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

/** Versions of Ruby gems: a part of letters makes a prerelease, and a hyphen is `.pre.`. Source: Gem::Version of RubyGems. */
export const gem = versionScheme(parse, (left, right) => compareLists(left, right, compareSegment))

function parse(text: string): string[] | undefined {
  if (!VERSION.test(text)) return undefined
  const segments = text.replaceAll('-', '.pre.').match(/\d+|[A-Za-z]+/g)!
  const firstWord = segments.findIndex((segment) => !isNumeral(segment))
  const numbers = firstWord < 0 ? segments.length : firstWord
  return [...withoutLastZeros(segments.slice(0, numbers)), ...withoutLastZeros(segments.slice(numbers))]
}

/** Missing segments are zeros, and words come before numbers. */
function compareSegment(left = '0', right = '0'): number {
  const isLeftNumber = isNumeral(left)
  const isRightNumber = isNumeral(right)
  if (isLeftNumber && isRightNumber) return compareNumerals(left, right)
  return Number(isLeftNumber) - Number(isRightNumber) || bytewise(left, right)
}

function withoutLastZeros(segments: readonly string[]): string[] {
  return segments.slice(0, segments.findLastIndex((segment) => !/^0+$/.test(segment)) + 1)
}
