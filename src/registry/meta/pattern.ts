import { BaleError, printable } from '#base'

const PATTERN = /^(?:[a-z0-9._-]|\/|\*)+$/

/** `team/web`, `team/*` (one part of a name), `team/**` (all below), `**`. At most eight stars. */
export function isPattern(text: string): boolean {
  return text.length <= 255 && PATTERN.test(text) && (text.match(/\*+/g) ?? []).length <= 8 && !text.includes('***')
}

/** INVALID_ARGUMENT for what is no pattern. */
export function checkPattern(pattern: string): void {
  if (isPattern(pattern)) return
  throw new BaleError('INVALID_ARGUMENT', `not a pattern of repositories: ${printable(pattern, 120)}`, {
    hint: 'for example team/web, team/* (one path component), team/** (everything below) or **',
  })
}

/**
 * Matches from left to right by sets of positions, so that no pattern takes more than length times length steps. A single star
 * ends at any of the `separators`.
 */
export function matchesPattern(pattern: string, name: string, separators = '/'): boolean {
  let positions = new Set([0])
  for (const [token] of pattern.matchAll(/\*\*|\*|[^*]+/g)) {
    const next = new Set<number>()
    for (const at of positions) {
      if (token === '**' || token === '*') {
        const end = token === '**' ? name.length : endOfPart(name, at, separators)
        for (let to = at; to <= end; to++) next.add(to)
      } else if (name.startsWith(token, at)) next.add(at + token.length)
    }
    positions = next
  }
  return positions.has(name.length)
}

function endOfPart(name: string, from: number, separators: string): number {
  let end = from
  while (end < name.length && !separators.includes(name[end]!)) end++
  return end
}

/**
 * Where the names that a pattern matches are in byte order: from `from` on, and before `to`. A pattern without a star has
 * one name.
 */
export function rangeOf(pattern: string): { from: string; to: string } | { name: string } {
  const star = pattern.indexOf('*')
  if (star < 0) return { name: pattern }
  if (star === 0) return { from: '', to: '\u{10ffff}' }
  const from = pattern.slice(0, star)
  return { from, to: from.slice(0, -1) + String.fromCharCode(from.charCodeAt(from.length - 1) + 1) }
}
