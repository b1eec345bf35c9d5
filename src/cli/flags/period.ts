import { BaleError } from '#base'
import { formatDuration, parseDuration } from '#docker'

const DAY = 86_400_000

/** Milliseconds of `30d`, or of one of docker's durations, which know no days: `12h`. */
export function parsePeriod(flag: string, text: string): number {
  const days = /^\d{1,5}d$/.test(text) ? Number.parseInt(text, 10) : undefined
  const period = days === undefined ? Math.round((parseDuration(text) ?? 0) / 1e6) : days * DAY
  if (period > 0) return period
  throw new BaleError('INVALID_ARGUMENT', `${flag} takes a period, not ${text}`, { hint: 'for example 30d or 12h' })
}

/** `30d`, or `12h` for Go's `12h0m0s`. */
export function formatPeriod(milliseconds: number): string {
  if (milliseconds % DAY === 0) return `${milliseconds / DAY}d`
  return formatDuration(milliseconds * 1e6)
    .replace(/m0s$/, 'm')
    .replace(/h0m$/, 'h')
}
