/** What Go writes for a time that was never set. */
export const ZERO_TIME = '0001-01-01T00:00:00Z'
/** The same in seconds since 1970. */
const ZERO_TIME_SECONDS = -62135596800

/** A time of a document as Go writes it again: RFC 3339 without zeros at the end of its fraction. */
export function goTime(text: string | undefined): string {
  if (text === undefined) return ZERO_TIME
  return text.replace(/(\.\d*?)0+(?=Z|[+-]\d\d:?\d\d$)/, '$1').replace(/\.(?=Z|[+-]\d\d:?\d\d$)/, '')
}

/** Milliseconds since 1970 as Go writes a time. */
export function goTimeOf(milliseconds: number | undefined): string {
  return goTime(milliseconds === undefined ? undefined : new Date(milliseconds).toISOString())
}

/** Whole seconds since 1970, as the lists of docker's API have them. */
export function unixSeconds(text: string | undefined): number {
  return text === undefined ? ZERO_TIME_SECONDS : Math.floor(Date.parse(text) / 1000)
}
