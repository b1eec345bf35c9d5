import { asError, type BaleError, type ErrorCode, isBaleError, printable } from '#base'
import type { ReplicationResult } from '../meta/index.ts'

/** What a failure means for what is to be tried again. */
interface Failure {
  text: string
  next: ReplicationResult['next']
  /** Set when the other registry as a whole is left alone for some time: milliseconds. `wait`: it said how long. */
  rest?: { first: number; wait?: number }
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** The longest rest of a registry, and the longest pause of what fails by chance. */
export const LONGEST_REST = 60 * MINUTE
const FIRST_PAUSE = 5_000

/** The other registry cannot be asked: no fault of what was to be replicated. */
const AWAY: readonly ErrorCode[] = ['REGISTRY_UNREACHABLE', 'RATE_LIMITED']
/** May be another time: a registry that fails, bytes that got lost on their way, a store of our own that is away. */
const CHANCE: readonly ErrorCode[] = [
  ...(['REGISTRY_FAILED', 'DIGEST_MISMATCH', 'SIZE_MISMATCH', 'UNAVAILABLE', 'NO_SPACE', 'LOCKED'] as const),
  ...(['INTERNAL', 'STORE_DAMAGED'] as const),
]
/** Then it is given up: after two days, and after some days of failures by chance. */
const MOST_REFUSALS = 8
const MOST_FAILURES = 60
const LONGEST_TEXT = 1000

/** Of a try: its number, from 1. */
export function failureOf(thrown: unknown, tries: number): Failure {
  const text = printable(asError(thrown).message, LONGEST_TEXT)
  const is = (codes: readonly ErrorCode[]) => codes.some((code) => isBaleError(thrown, code))
  if (is(AWAY)) {
    const { retryAfter } = (thrown as BaleError).details
    const wait = typeof retryAfter === 'number' ? retryAfter : undefined
    return { text, next: { again: FIRST_PAUSE }, rest: { first: FIRST_PAUSE, wait } }
  }
  // A scan takes its time.
  const isUnscanned = isBaleError(thrown, 'IMAGE_BLOCKED') && thrown.details['isUnscanned'] === true
  if (!isBaleError(thrown) || is(CHANCE) || isUnscanned) {
    const pause = spread(Math.min(LONGEST_REST, FIRST_PAUSE * 2 ** (tries - 1)))
    return { text, next: tries < MOST_FAILURES ? { again: pause } : 'failed' }
  }
  const pause = spread(Math.min(DAY, MINUTE * 4 ** (tries - 1)))
  const next = tries < MOST_REFUSALS ? { again: pause } : 'failed'
  // A login that is not accepted is not accepted for the next tag either, and many tries may lock an account.
  return { text, next, rest: isBaleError(thrown, 'UNAUTHORIZED') ? { first: MINUTE } : undefined }
}

/** What a registry that is back gets at once must not all come at the same moment. */
const spread = (pause: number) => Math.round(pause * (0.75 + Math.random() / 2))
