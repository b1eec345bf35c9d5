import { bytewise } from '#base'
import { compareLists, compareNumerals, isNumeral } from './parts.ts'
import { versionScheme } from './version-scheme.ts'

interface RpmVersion {
  epoch: string
  version: string[]
  /** Undefined where the text has none: lower than every release. */
  release: string[] | undefined
}

const VERSION = /^(?:(\d+):)?([A-Za-z0-9._+~^]+)(?:-([A-Za-z0-9._+~^]+))?$/

/**
 * `[epoch:]version[-release]`; no epoch is epoch 0. Source: rpm-version(7), and rpmvercmp() and rpmVersionCompare() of rpm
 * 4.15 and later, which know `^`.
 */
export const rpm = versionScheme(parse, compare)

function parse(text: string): RpmVersion | undefined {
  const match = VERSION.exec(text)
  if (!match) return undefined
  const [, epoch = '0', version, release] = match
  return { epoch, version: partsOf(version!), release: release === undefined ? undefined : partsOf(release) }
}

function compare(left: RpmVersion, right: RpmVersion): number {
  return (
    compareNumerals(left.epoch, right.epoch) ||
    compareLists(left.version, right.version, comparePart) ||
    Number(left.release !== undefined) - Number(right.release !== undefined) ||
    compareLists(left.release ?? [], right.release ?? [], comparePart)
  )
}

/** Runs of digits, runs of letters, `~` and `^`; whatever else stands between them only separates. */
function partsOf(text: string): string[] {
  return text.match(/\d+|[A-Za-z]+|[~^]/g) ?? []
}

function comparePart(left: string | undefined, right: string | undefined): number {
  const rank = rankOf(left)
  const difference = rank - rankOf(right)
  if (difference !== 0 || left === undefined || right === undefined) return difference
  return rank === NUMERAL ? compareNumerals(left, right) : bytewise(left, right)
}

const NUMERAL = 4

/** `~` comes before the end of the version, then `^`, letters, digits. */
function rankOf(part: string | undefined): number {
  if (part === '~') return 0
  if (part === undefined) return 1
  if (part === '^') return 2
  return isNumeral(part) ? NUMERAL : 3
}
