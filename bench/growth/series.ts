import type { Bar } from '../bars.ts'
import type { Timing } from '../timed.ts'

/** Something of which there can be much: bale alone, at three sizes, so that what grows faster than the size is seen. */
export interface Series {
  readonly name: string
  /** What is counted, in the plural. */
  readonly unit: string
  /** The size that bars are stated for. */
  readonly whole: number
  readonly does: string
  /** Bars of single verbs, at the whole size. */
  readonly bars?: { readonly [verb: string]: readonly Bar[] }
  /** Bytes that the whole needs at most. */
  readonly bytes: number
  /** Makes `size` of it and times verbs with it; leaves an empty store. */
  play(size: number, stage: Stage): Promise<void>
}

/** What a series is played on: a store of its own. */
export interface Stage {
  /** For what it writes; emptied after each size. */
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  /** A registry without a login. */
  readonly registry: string
  /** Runs `bale ARGS` and reports what it took, under the verb's name. */
  time(verb: string, args: readonly string[]): Promise<void>
  /** Runs `bale ARGS` without counting it. */
  must(args: readonly string[]): Promise<string>
}

/** One verb at one size. */
export interface Point {
  readonly size: number
  readonly timings: readonly Timing[]
}

/** Above this, a verb takes more for each of many than for each of few. */
export const LINEAR = 1.3

/** One, a tenth, a third and the whole; no two alike. */
export function sizesOf(whole: number, scale: number): number[] {
  const full = whole * scale
  return [...new Set([1, full / 10, full / 3, full].map((size) => Math.max(1, Math.round(size))))]
}

/** Less than this share of what a verb takes for one may be noise. */
const NOISE = 0.2

/**
 * What each more costs at the largest size, divided by what it costs at a smaller one: the smallest at which a verb takes
 * visibly longer than for one. What is the same for any size is taken off that way: it would hide growth. Undefined where there is no such
 * smaller size, since nothing grows that can be seen.
 */
export function growthOf(points: readonly { size: number; seconds: number }[]): number | undefined {
  const [one, ...more] = points
  const last = more.pop()
  const first = more.find(({ seconds }) => seconds - one!.seconds > one!.seconds * NOISE)
  if (!one || !last || !first) return undefined
  const each = ({ size, seconds }: { size: number; seconds: number }) => (seconds - one.seconds) / (size - one.size)
  return each(last) / each(first)
}
