import { bytewise } from '#base'

/** How the parts of versions are ordered, for all schemes. */

const EXACT_DIGITS = 15

/** Orders two non-empty runs of decimal digits by their value, exactly and whatever their length. */
export function compareNumerals(left: string, right: string): number {
  if (left.length <= EXACT_DIGITS && right.length <= EXACT_DIGITS) return Number(left) - Number(right)
  const first = withoutLeadingZeros(left)
  const second = withoutLeadingZeros(right)
  return first.length - second.length || bytewise(first, second)
}

/** Orders lists by the first parts that differ. `order` meets undefined where one of the lists has ended. */
export function compareLists<Part>(
  left: readonly Part[],
  right: readonly Part[],
  order: (left: Part | undefined, right: Part | undefined, index: number) => number,
): number {
  const length = Math.max(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = order(left[index], right[index], index)
    if (difference !== 0) return difference
  }
  return 0
}

/** Orders lists of numerals; missing ones are zeros. */
export function compareNumeralLists(left: readonly string[], right: readonly string[]): number {
  return compareLists(left, right, (first = '0', second = '0') => compareNumerals(first, second))
}

/** True for a part that begins with a digit, in schemes whose parts are all digits or all letters. */
export function isNumeral(part: string): boolean {
  return part >= '0' && part < ':'
}

function withoutLeadingZeros(numeral: string): string {
  return numeral.replace(/^0+/, '')
}
