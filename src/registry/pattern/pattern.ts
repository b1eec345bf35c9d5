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
 * A single star ends at any of the `separators`. Takes length times length steps at most, whatever the pattern: it may be anybody's who may make a token (A12).
 */
export function matchesPattern(pattern: string, name: string, separators = '/'): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern === name
  if (!name.startsWith(pattern.slice(0, star))) return false
  // Where in the name what was read of the pattern can end.
  let ends = new Uint8Array(name.length + 1)
  ends[star] = 1
  for (const [token] of pattern.slice(star).matchAll(/\*\*|\*|[^*]+/g)) {
    ends = token.startsWith('*') ? endsOfStars(token, ends, name, separators) : endsOfText(token, ends, name)
  }
  return ends[name.length] === 1
}

function endsOfText(token: string, before: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const ends = new Uint8Array(before.length)
  for (const [at, isEnd] of before.entries()) if (isEnd && name.startsWith(token, at)) ends[at + token.length] = 1
  return ends
}

/** One star goes on to the next separator, two go on to the end. */
function endsOfStars(token: string, before: Uint8Array, name: string, separators: string): Uint8Array<ArrayBuffer> {
  let open = false
  return Uint8Array.from(before, (isEnd, at) => {
    open = isEnd === 1 || (open && (token === '**' || !separators.includes(name[at - 1]!)))
    return open ? 1 : 0
  })
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

/** The same as two ends, also for a pattern without a star. */
export function boundsOf(pattern: string): { from: string; to: string } {
  const range = rangeOf(pattern)
  // Nothing is between a name and the same with this character after it.
  return 'name' in range ? { from: range.name, to: `${range.name}\u0001` } : range
}

/**
 * What all names that a pattern matches have before their first slash; `*` when they differ in that. Rules about a repository are found
 * by it, among those of all others.
 */
export function firstPart(pattern: string): string {
  const [part] = pattern.split('/', 1)
  return part!.includes('*') ? '*' : part!
}
