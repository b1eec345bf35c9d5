import { BaleError, printable } from '#base'

/** A compiled pattern of paths or names. */
export interface Glob {
  matches(text: string): boolean
  /** Text in front of the first special character. */
  readonly literalStart: string
}

/**
 * `match`: Go's path.Match, for names and sources of COPY. `ignore`: moby/patternmatcher, for .dockerignore and `--exclude`, where `**`
 * spans directories, and a `]` that opens a class and a backslash at the end are themselves.
 */
type GlobDialect = 'match' | 'ignore'

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

/**
 * `*` and `?` stay between slashes, `[a-z]` and `[^a]` are classes, a backslash takes the meaning away. Characters are code
 * points. Undefined when it is no pattern.
 */
export function compileGlob(pattern: string, dialect: GlobDialect): Glob | undefined {
  const ending = dialect === 'ignore' ? /^\*\*([^*?[\]\\/][^*?[\]\\]*)$/.exec(pattern)?.[1] : undefined
  // `**.md`: any path that ends so, as moby/patternmatcher has it.
  if (ending !== undefined) return { literalStart: '', matches: (path) => path.endsWith(ending) }
  const tokens = tokenize([...pattern], dialect)
  if (tokens === undefined) return undefined
  const special = tokens.findIndex((token) => token.kind !== 'character')
  const literals = special < 0 ? tokens : tokens.slice(0, special)
  const literalStart = literals.map((token) => (token as { character: string }).character).join('')
  return {
    literalStart,
    matches:
      special < 0
        ? (text) => text === literalStart
        : (text) => text.startsWith(literalStart) && run(tokens, characters(text)),
  }
}

/** Go's path.Match. Throws INVALID_ARGUMENT for a bad pattern. */
export function matchGlob(pattern: string, text: string): boolean {
  const glob = compileGlob(pattern, 'match')
  if (glob) return glob.matches(text)
  throw new BaleError('INVALID_ARGUMENT', `syntax error in pattern: "${printable(pattern)}"`)
}

/** A text of the usual kind is its own list of characters. */
function characters(text: string): string | readonly string[] {
  return /[\ud800-\udfff]/.test(text) ? [...text] : text
}

function tokenize(pattern: readonly string[], dialect: GlobDialect): Token[] | undefined {
  const tokens: Token[] = []
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!
    if (character === '*') {
      let end = index
      while (pattern[end + 1] === '*' && (dialect === 'match' || end === index)) end++
      if (dialect === 'match' || end === index) tokens.push({ kind: 'star' })
      else {
        if (pattern[end + 1] === '/') end++
        if (end + 1 >= pattern.length) tokens.push({ kind: 'rest' })
        else if (tokens.at(-1)?.kind !== 'directories') tokens.push({ kind: 'directories' })
      }
      index = end
    } else if (character === '?') tokens.push({ kind: 'one' })
    else if (character === '[') {
      const parsed = parseClass(pattern, index, dialect)
      if (parsed === undefined) return undefined
      tokens.push({ kind: 'class', has: parsed.has })
      index = parsed.end
    } else if (character === '\\' && index + 1 < pattern.length)
      tokens.push({ kind: 'character', character: pattern[++index]! })
    else if (character === '\\' && dialect === 'match') return undefined
    else tokens.push({ kind: 'character', character })
  }
  return tokens
}

/** Undefined for a class that is not closed. */
function parseClass(
  pattern: readonly string[],
  start: number,
  dialect: GlobDialect,
): { has: (character: string) => boolean; end: number } | undefined {
  let index = start + 1
  const negated = pattern[index] === '^'
  if (negated) index++
  if (dialect === 'match' && pattern[index] === ']') return undefined
  const ranges: { from: number; to: number }[] = []
  const next = () => {
    if (pattern[index] === '\\') index++
    return pattern[index++]?.codePointAt(0)
  }
  while (pattern[index] !== ']' || ranges.length === 0) {
    const from = next()
    let to = from
    if (pattern[index] === '-' && pattern[index + 1] !== ']') {
      index++
      to = next()
    }
    if (from === undefined || to === undefined) return undefined
    ranges.push({ from, to })
  }
  const inRange = (code: number) => ranges.some(({ from, to }) => code >= from && code <= to)
  return { has: (character) => inRange(character.codePointAt(0)!) !== negated, end: index }
}

/** Goes back to the last star only, and to the last `**` when that star cannot grow: length times length steps. */
function run(tokens: readonly Token[], text: string | readonly string[]): boolean {
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
