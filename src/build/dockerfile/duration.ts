const UNITS: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

/** A duration in Go's form (`1m30s`, `1.5h`, `300ms`) in nanoseconds, or undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text)
  if (!match) return undefined
  let sum = 0
  for (const [, number, unit] of match[2]!.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    sum += Number(number) * UNITS[unit!]!
  }
  return (match[1] === '-' ? -1 : 1) * Math.round(sum)
}

/** A duration as Go prints it: `1m30s`, `500ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s'
  const sign = nanoseconds < 0 ? '-' : ''
  const value = Math.abs(nanoseconds)
  if (value < 1e3) return `${sign}${value}ns`
  if (value < 1e6) return `${sign}${value / 1e3}µs`
  if (value < 1e9) return `${sign}${value / 1e6}ms`
  const hours = Math.floor(value / 3600e9)
  const minutes = Math.floor((value % 3600e9) / 60e9)
  const seconds = (value % 60e9) / 1e9
  return `${sign}${hours ? `${hours}h` : ''}${hours || minutes ? `${minutes}m` : ''}${seconds}s`
}
