import { bytewise } from '#base'
import { compareLists, compareNumeralLists, compareNumerals } from './parts.ts'
import { versionScheme } from './version-scheme.ts'

interface PythonVersion {
  epoch: string
  release: string[]
  pre: { rank: number; count: string }
  post: string | undefined
  dev: string | undefined
  /** Empty where the version has none. */
  local: string[]
}

const VERSION = new RegExp(
  [
    '^v?(?:(?<epoch>\\d+)!)?(?<release>\\d+(?:\\.\\d+)*)',
    '(?:[-_.]?(?<phase>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<preCount>\\d+)?)?',
    '(?<post>-(?<shortPost>\\d+)|[-_.]?(?:post|rev|r)[-_.]?(?<longPost>\\d+)?)?',
    '(?<dev>[-_.]?dev[-_.]?(?<devCount>\\d+)?)?',
    '(?:\\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$',
  ].join(''),
)

/** Ranks of what comes before a release: 1.0.dev1 < 1.0a1 < 1.0b1 < 1.0rc1 < 1.0. */
const DEV_ONLY = 0
const ALPHA = 1
const BETA = 2
const CANDIDATE = 3
const FINAL = 4
const DIGITS = /^\d+$/

/** Versions of Python packages in every spelling that is allowed. Source: PEP 440 and its appendix B. */
export const pypi = versionScheme(parse, compare)

function parse(text: string): PythonVersion | undefined {
  const groups = VERSION.exec(text.toLowerCase())?.groups
  if (!groups) return undefined
  const post = groups['post'] && (groups['shortPost'] ?? groups['longPost'] ?? '0')
  const dev = groups['dev'] && (groups['devCount'] ?? '0')
  return {
    epoch: groups['epoch'] ?? '0',
    release: groups['release']!.split('.'),
    pre: { rank: rankOf(groups['phase'], dev !== undefined && post === undefined), count: groups['preCount'] ?? '0' },
    post,
    dev,
    local: groups['local']?.split(/[-_.]/) ?? [],
  }
}

/** `c`, `pre` and `preview` are spellings of `rc`. */
function rankOf(phase: string | undefined, isDevOnly: boolean): number {
  if (phase === undefined) return isDevOnly ? DEV_ONLY : FINAL
  if (phase.startsWith('a')) return ALPHA
  return phase.startsWith('b') ? BETA : CANDIDATE
}

function compare(left: PythonVersion, right: PythonVersion): number {
  return (
    compareNumerals(left.epoch, right.epoch) ||
    compareNumeralLists(left.release, right.release) ||
    left.pre.rank - right.pre.rank ||
    compareNumerals(left.pre.count, right.pre.count) ||
    compareOptional(left.post, right.post, -1) ||
    compareOptional(left.dev, right.dev, 1) ||
    compareLists(left.local, right.local, compareLocal)
  )
}

/** `absence` is where a version without the part stands: below (-1) or above (1) those with it. */
function compareOptional(left: string | undefined, right: string | undefined, absence: -1 | 1): number {
  if (left !== undefined && right !== undefined) return compareNumerals(left, right)
  return (Number(left === undefined) - Number(right === undefined)) * absence
}

/** The end comes before words, words before numbers. */
function compareLocal(left: string | undefined, right: string | undefined): number {
  if (left === undefined || right === undefined) return left === undefined ? -1 : 1
  const isLeftNumber = DIGITS.test(left)
  const isRightNumber = DIGITS.test(right)
  if (isLeftNumber && isRightNumber) return compareNumerals(left, right)
  return Number(isLeftNumber) - Number(isRightNumber) || bytewise(left, right)
}
