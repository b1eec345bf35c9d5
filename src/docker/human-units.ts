const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB']
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']

/** Bytes as docker shows sizes: `1.24MB`, three digits by default, units of 1000. */
export function humanSize(bytes: number, digits = 3): string {
  return scaled(bytes, 1000, DECIMAL, digits)
}

/** Bytes as docker shows memory: `15.6MiB`, units of 1024. */
export function binarySize(bytes: number, digits = 4): string {
  return scaled(bytes, 1024, BINARY, digits)
}

function scaled(bytes: number, base: number, units: readonly string[], digits: number): string {
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= base && unit < units.length - 1) {
    value /= base
    unit++
  }
  return `${significant(value, digits)}${units[unit]}`
}

/** `%.3g`: 999.9 becomes 1e+03, as in docker. */
function significant(value: number, digits: number): string {
  const exponential = value.toExponential(digits - 1)
  const exponent = Number(exponential.slice(exponential.indexOf('e') + 1))
  if (exponent < digits) return String(Number(exponential))
  const [mantissa] = exponential.split('e')
  return `${Number(mantissa)}e+${String(exponent).padStart(2, '0')}`
}

/** A span of time as docker shows it: `5 minutes`, `About an hour`. Takes milliseconds. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.trunc(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.round(milliseconds / 3_600_000)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`
  return `${Math.trunc(milliseconds / 3_600_000 / 24 / 365)} years`
}

/** Go's zero time in milliseconds since 1970: what images have that do not say when they were made. */
const NEVER = -62_135_596_800_000

/** `5 minutes ago`; `N/A` for no time at all. Both in milliseconds since 1970. */
export function humanAgo(time: number | undefined, now: number): string {
  return time === undefined || time <= NEVER ? 'N/A' : `${humanDuration(now - time)} ago`
}
