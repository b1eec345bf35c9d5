import { readTextSync } from '#engine'

/** `2024-01-02 03:04:05 +0100 CET`: Go's text of a time in the caller's zone, without fractions. Takes milliseconds since 1970. */
export function goTimestamp(time: number): string {
  const { date, clock, offset, name } = localParts(time)
  return `${date} ${clock} ${offset} ${name}`
}

/** `2024-01-02T03:04:05+01:00`, with `Z` for no offset, in the caller's zone. Takes milliseconds since 1970. */
export function localRfc3339(time: number): string {
  const { date, clock, offset } = localParts(time)
  return `${date}T${clock}${offset === '+0000' ? 'Z' : `${offset.slice(0, 3)}:${offset.slice(3)}`}`
}

function localParts(time: number) {
  const minutes = -new Date(time).getTimezoneOffset()
  const [date, clock] = new Date(time + minutes * 60_000).toISOString().slice(0, 19).split('T') as [string, string]
  const span = Math.abs(minutes)
  const two = (count: number) => String(Math.trunc(count)).padStart(2, '0')
  const offset = `${minutes < 0 ? '-' : '+'}${two(span / 60)}${two(span % 60)}`
  return { date, clock, offset, name: abbreviation(minutes) ?? (minutes === 0 ? 'UTC' : offset) }
}

/** Of the caller's zone: to ask for it takes as long as to write a hundred lines of a list. */
let known: ReturnType<typeof zoneNames> | 'UTC' | undefined

/** The zone's short name while that offset counts. Node only knows long ones and those of the user's language. */
function abbreviation(minutes: number): string | undefined {
  known ??= namesOfZone()
  return known === 'UTC' ? 'UTC' : known.find((one) => one.minutes === minutes)?.name
}

function namesOfZone(): ReturnType<typeof zoneNames> | 'UTC' {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  return zone === 'UTC' ? 'UTC' : zoneNames(lastRule(zone))
}

/** The rule for all times to come, which a file of the time zone database ends with (RFC 8536, section 3.3). */
function lastRule(zone: string): string {
  try {
    return readTextSync(`/usr/share/zoneinfo/${zone}`).trimEnd().split('\n').at(-1) ?? ''
  } catch {
    // A machine without the database, as in a small container: the offset replaces the name.
    return ''
  }
}

const RULE =
  /^(?<name><[^>]+>|[A-Za-z]+)(?<offset>[+-]?[\d:]+)(?:(?<summer><[^>]+>|[A-Za-z]+)(?<summerOffset>[+-]?[\d:]+)?)?/

/** The names in a rule (`CET-1CEST,M3.5.0,M10.5.0/3`) with their minutes east of Greenwich; the rule counts westwards. */
export function zoneNames(rule: string): { name: string; minutes: number }[] {
  const { name, offset, summer, summerOffset } = RULE.exec(rule)?.groups ?? {}
  if (name === undefined || offset === undefined) return []
  const east = (text: string) => {
    const [hours = 0, minutes = 0] = text.replace(/^[+-]/, '').split(':').map(Number)
    const size = hours * 60 + minutes
    return text.startsWith('-') || size === 0 ? size : -size
  }
  const plain = (text: string) => text.replace(/[<>]/g, '')
  const names = [{ name: plain(name), minutes: east(offset) }]
  if (summer === undefined) return names
  return [...names, { name: plain(summer), minutes: summerOffset ? east(summerOffset) : east(offset) + 60 }]
}
