import { BaleError } from '#base'

const UNITS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** A duration back from now (`1h30m`), a date, a time in RFC 3339, or seconds since 1970; gives milliseconds since 1970. */
export function parseTime(text: string, now: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  if (/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) {
    let span = 0
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) span += Number(amount) * UNITS[unit!]!
    return now - span
  }
  const time = Date.parse(text)
  if (Number.isNaN(time)) {
    throw new BaleError('INVALID_ARGUMENT', `cannot understand the time ${text}`, {
      hint: 'a duration like 24h or 1h30m, a date like 2024-01-31, a time like 2024-01-31T10:00:00Z, or seconds since 1970',
    })
  }
  return time
}
