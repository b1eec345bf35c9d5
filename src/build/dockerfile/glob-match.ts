/**
 * The patterns of `${v#p}`, `${v%p}` and `${v/p/r}`: `*`, `?`, and a backslash before `*`, `?`, `\`, `}` or `/`.
 * Matched by following all positions at once, so that no pattern takes more than length times length steps.
 */
interface GlobPattern {
  tokens: readonly ({ kind: 'any' } | { kind: 'one' } | { kind: 'literal'; character: string })[]
}

/** A pattern with an escape that means nothing is answered with that escape. */
export function parseGlob(pattern: string): GlobPattern | { wrongEscape: string } {
  const tokens: GlobPattern['tokens'][number][] = []
  const characters = [...pattern]
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index]!
    if (character === '*') tokens.push({ kind: 'any' })
    else if (character === '?') tokens.push({ kind: 'one' })
    else if (character === '\\') {
      const escaped = characters[++index]
      if (escaped === undefined || !'*?\\}/'.includes(escaped)) return { wrongEscape: `\\${escaped ?? ''}` }
      tokens.push({ kind: 'literal', character: escaped })
    } else tokens.push({ kind: 'literal', character })
  }
  return { tokens }
}

/** Where a match that begins at `start` may end, growing. */
function matchEnds(pattern: GlobPattern, text: readonly string[], start: number): number[] {
  let positions = new Set([start])
  for (const token of pattern.tokens) {
    const next = new Set<number>()
    if (token.kind === 'any') {
      const first = Math.min(...positions)
      for (let position = first; position <= text.length; position++) next.add(position)
    } else {
      for (const position of positions) {
        if (position >= text.length) continue
        if (token.kind === 'one' || text[position] === token.character) next.add(position + 1)
      }
    }
    if (next.size === 0) return []
    positions = next
  }
  return [...positions].sort((a, b) => a - b)
}

export function trimPrefix(value: string, pattern: GlobPattern, longest: boolean): string {
  const text = [...value]
  const end = matchEnds(pattern, text, 0).at(longest ? -1 : 0)
  return end === undefined ? value : text.slice(end).join('')
}

export function trimSuffix(value: string, pattern: GlobPattern, longest: boolean): string {
  const text = [...value]
  const starts = longest ? text.keys() : [...text.keys(), text.length].reverse().values()
  for (const start of starts) {
    if (matchEnds(pattern, text, start).at(-1) === text.length) return text.slice(0, start).join('')
  }
  return value
}

export function replaceMatches(value: string, pattern: GlobPattern, replacement: string, all: boolean): string {
  const text = [...value]
  let result = ''
  let afterMatch = false
  for (let index = 0; index <= text.length; ) {
    const end = matchEnds(pattern, text, index).at(-1)
    // An empty match directly after another one does not count.
    if (end !== undefined && !(end === index && afterMatch)) {
      result += replacement
      if (!all) return result + text.slice(end).join('')
      if (end > index) {
        index = end
        afterMatch = true
        continue
      }
    }
    afterMatch = false
    result += text[index] ?? ''
    index++
  }
  return result
}
