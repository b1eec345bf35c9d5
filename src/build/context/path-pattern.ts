import { Mistake } from '../dockerfile/index.ts'

/**
 * One pattern of .dockerignore, `--exclude` or `COPY --parents`: `*` and `?` stay within a component, `**` spans directories,
 * `[a-z]` and `[^a]` are classes, a backslash takes the meaning away. Rules: moby/patternmatcher, Go's filepath.Match.
 */
export interface PathPattern {
  matches(path: string): boolean
  /** Text in front of the first special character. */
  readonly literalStart: string
}

type Token =
  | { kind: 'character'; character: string }
  | { kind: 'one' }
  | { kind: 'class'; has: (character: string) => boolean }
  /** `*`: any text without a slash. */
  | { kind: 'star' }
  /** `**`: nothing, or any text that ends with a slash. */
  | { kind: 'directories' }
  /** `**` at the end: any text. */
  | { kind: 'rest' }

/** `pattern` is clean (no `./`, no trailing slash). Throws a Mistake for a class that is not closed. */
export function compilePattern(pattern: string): PathPattern {
  const ending = /^\*\*([^*?[\]\\/][^*?[\]\\]*)$/.exec(pattern)?.[1]
  // `**.md`: any path that ends so, as moby/patternmatcher has it.
  if (ending !== undefined) return { literalStart: '', matches: (path) => path.endsWith(ending) }
  const tokens = tokenize(pattern)
  const special = tokens.findIndex((token) => token.kind !== 'character')
  const literals = special < 0 ? tokens : tokens.slice(0, special)
  const literalStart = literals.map((token) => (token as { character: string }).character).join('')
  return {
    literalStart,
    matches:
      special < 0 ? (path) => path === literalStart : (path) => path.startsWith(literalStart) && run(tokens, path),
  }
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = []
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!
    if (character === '*') {
      if (pattern[index + 1] !== '*') tokens.push({ kind: 'star' })
      else {
        index++
        if (pattern[index + 1] === '/') index++
        if (index + 1 >= pattern.length) tokens.push({ kind: 'rest' })
        else if (tokens.at(-1)?.kind !== 'directories') tokens.push({ kind: 'directories' })
      }
    } else if (character === '?') tokens.push({ kind: 'one' })
    else if (character === '[') {
      const parsed = parseClass(pattern, index)
      tokens.push({ kind: 'class', has: parsed.has })
      index = parsed.end
    } else if (character === '\\' && index + 1 < pattern.length)
      tokens.push({ kind: 'character', character: pattern[++index]! })
    else tokens.push({ kind: 'character', character })
  }
  return tokens
}

function parseClass(pattern: string, start: number): { has: (character: string) => boolean; end: number } {
  let index = start + 1
  const negated = pattern[index] === '^'
  if (negated) index++
  const ranges: { from: string; to: string }[] = []
  const next = (): string => {
    if (pattern[index] === '\\') index++
    const character = pattern[index++]
    if (character === undefined) throw new Mistake(`syntax error in pattern: ${pattern}`)
    return character
  }
  while (pattern[index] !== ']' || ranges.length === 0) {
    const from = next()
    let to = from
    if (pattern[index] === '-' && pattern[index + 1] !== ']') {
      index++
      to = next()
    }
    ranges.push({ from, to })
  }
  const has = (character: string) => ranges.some(({ from, to }) => character >= from && character <= to) !== negated
  return { has, end: index }
}

/** Goes back to the last star only, and to the last `**` when that star cannot grow: length times length steps. */
function run(tokens: readonly Token[], text: string): boolean {
  let token = 0
  let index = 0
  let star: { token: number; index: number } | undefined
  let directories: { token: number; index: number } | undefined
  for (;;) {
    const current = tokens[token]
    if (current?.kind === 'rest') return true
    if (current?.kind === 'star') {
      star = { token: ++token, index }
      continue
    }
    if (current?.kind === 'directories') {
      directories = { token: ++token, index }
      star = undefined
      continue
    }
    if (current ? fits(current, text[index]) : index === text.length) {
      if (!current) return true
      token++
      index++
      continue
    }
    if (star && star.index < text.length && text[star.index] !== '/') index = ++star.index
    else if (directories) {
      const slash = text.indexOf('/', directories.index)
      if (slash < 0) return false
      index = directories.index = slash + 1
      star = undefined
      token = directories.token
      continue
    } else return false
    token = star.token
  }
}

function fits(token: Token, character: string | undefined): boolean {
  if (character === undefined) return false
  if (token.kind === 'character') return token.character === character
  if (token.kind === 'one') return character !== '/'
  return token.kind === 'class' && character !== '/' && token.has(character)
}
