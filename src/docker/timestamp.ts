import { parseDuration } from './duration.ts'

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?)?(?:([zZ])|([+-]\d\d):?(\d\d))?$/

/**
 * A time of `--since`, `--until` and the like, in nanoseconds since 1970: a duration back from `now` (in milliseconds), a date or time
 * (without a zone it is the caller's), or seconds since 1970 with a fraction. Throws an Error with docker's message.
 */
export function parseTimestamp(text: string, now: number): bigint {
  if (text.trim() === '') throw new Error('failed to parse value as time or duration: value is empty')
  const duration = text === '0' ? undefined : parseDuration(text)
  if (duration !== undefined) return BigInt(now) * 1_000_000n - BigInt(duration)
  const date = DATE.exec(text)
  if (date) return dateOf(date, text)
  const unix = /^(-?\d{1,12})(?:\.(\d{0,20}))?$/.exec(text)
  if (unix) return BigInt(unix[1]!) * 1_000_000_000n + fraction(unix[2])
  if (text.includes('-')) throw new Error(`parsing time ${JSON.stringify(text)}: it is neither a date nor a time`)
  throw new Error(`failed to parse value as time or duration: invalid seconds ${JSON.stringify(text)}: invalid syntax`)
}

export function millisecondsOf(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n)
}

function dateOf(match: RegExpExecArray, text: string): bigint {
  const [, year, month, day, hour = '00', minute = '00', second = '00', part, utc, zoneHour, zoneMinute] = match
  const zone = utc ? 'Z' : zoneHour === undefined ? '' : `${zoneHour}:${zoneMinute}`
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`)
  // A day that the month does not have would become one of the next month; Go refuses it.
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  if (Number.isNaN(milliseconds) || Number(day) > days)
    throw new Error(`parsing time ${JSON.stringify(text)}: out of range`)
  return BigInt(milliseconds) * 1_000_000n + fraction(part)
}

function fraction(digits: string | undefined): bigint {
  return BigInt((digits ?? '').slice(0, 9).padEnd(9, '0'))
}
