import { median, type Timing } from './timed.ts'

/** What the project holds one row of the bench to. All bars are at most this. */
export type Bar =
  /** Of bale's seconds to those of a tool, of the best of the other tools, or of the yardstick. */
  | { readonly ratio: number; readonly of: string }
  /** On a machine where bare Node takes `REFERENCE_NODE_SECONDS`. */
  | { readonly seconds: number }
  | { readonly megabytes: number }

/** `node -e 0` on the machine that bars in seconds are stated for. */
export const REFERENCE_NODE_SECONDS = 0.027

/** Up to this factor, a figure above its bar is taken for noise by `--check`. */
export const TOLERANCE = 1.1

export const BEST = 'best'
export const YARDSTICK = 'yardstick'

/** How one bar was met. Without a figure `lack` says why there is none, and whether that is bale's fault. */
export interface Verdict {
  readonly bar: string
  readonly state: 'met' | 'close' | 'missed' | 'not judged'
  /** Figure divided by bar. */
  readonly share?: number
  readonly lack?: string
}

/** Samples of one row: by tool, and of the yardstick under its own name. */
export type Samples = ReadonlyMap<string, readonly Timing[]>

/** What a bar is called in tables and lists. */
export function barText(bar: Bar, slowness = 1): string {
  if ('ratio' in bar)
    return `${bar.ratio} of ${bar.of === BEST ? 'the best' : bar.of === YARDSTICK ? 'the yardstick' : bar.of}`
  if ('megabytes' in bar) return `${bar.megabytes} MB`
  return slowness === 1
    ? `${bar.seconds} s`
    : `${(bar.seconds * slowness).toFixed(3)} s (${bar.seconds} × ${slowness.toFixed(2)})`
}

/**
 * Judges a bar. `slowness` is how much longer bare Node takes here than on the machine that bars in seconds are stated for.
 * A row in which bale has no figure misses all its bars; one in which the peer has none is not judged.
 */
export function judge(bar: Bar, samples: Samples, slowness: number): Verdict {
  const text = barText(bar, slowness)
  const own = samples.get('bale') ?? []
  if (own.length === 0) return { bar: text, state: 'missed', lack: 'bale has no figure' }
  if ('megabytes' in bar) return verdict(text, peak(own), bar.megabytes)
  const seconds = secondsOf(samples, 'bale')!
  if ('seconds' in bar) return verdict(text, seconds, bar.seconds * slowness)
  const peer = bar.of === BEST ? bestPeer(samples)?.seconds : secondsOf(samples, bar.of)
  if (!peer) return { bar: text, state: 'not judged', lack: `no figure of ${bar.of === BEST ? 'any peer' : bar.of}` }
  return verdict(text, seconds / peer, bar.ratio)
}

/** Median of the clock's seconds, or undefined where there is no sample. */
export function secondsOf(samples: Samples, name: string): number | undefined {
  const timings = samples.get(name)
  return timings?.length ? median(timings.map(({ seconds }) => seconds)) : undefined
}

/** The fastest tool beside bale; the yardstick is none. */
export function bestPeer(samples: Samples): { name: string; seconds: number } | undefined {
  return [...samples.keys()]
    .filter((name) => name !== 'bale' && name !== YARDSTICK)
    .flatMap((name) => ({ name, seconds: secondsOf(samples, name) ?? Number.NaN }))
    .filter(({ seconds }) => seconds >= 0)
    .sort((a, b) => a.seconds - b.seconds)[0]
}

/** The largest of all samples: a limit of memory holds for each of them. NaN where none has one. */
export function peak(timings: readonly Timing[]): number {
  const known = timings.flatMap(({ peakMegabytes }) => peakMegabytes ?? [])
  return known.length > 0 ? Math.max(...known) : Number.NaN
}

function verdict(bar: string, figure: number, limit: number): Verdict {
  const share = figure / limit
  if (Number.isNaN(share)) return { bar, state: 'missed', lack: 'it was not measured' }
  return { bar, share, state: share <= 1 ? 'met' : share <= TOLERANCE ? 'close' : 'missed' }
}
