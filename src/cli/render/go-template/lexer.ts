/** Words of the template language. Source: the documentation of Go's text/template. */
type TokenType =
  | 'text'
  | 'open'
  | 'close'
  | 'field'
  | 'dot'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'number'
  | 'character'
  | 'string'
  | 'boolean'
  | 'nil'
  | 'pipe'
  | 'left paren'
  | 'right paren'
  | 'comma'
  | 'assign'
  | 'declare'
  | 'end of text'

export interface Token {
  type: TokenType
  /** As written; for text what remains after trimming. */
  text: string
  /** Offset in the template. */
  at: number
  /** True when white space stands before it: `.A.B` is one operand, `.A .B` are two. */
  spaced: boolean
}

/** A mistake in a template, with its place. `compileTemplate` turns it into a BaleError with Go's words. */
export class TemplateMistake extends Error {
  readonly at: number

  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  let trimNext = false
  while (at < source.length) {
    const open = source.indexOf('{{', at)
    const end = open < 0 ? source.length : open
    const trimsBefore = open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4))
    let text = source.slice(at, end)
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '')
    if (trimsBefore) text = text.replace(/[ \t\r\n]+$/, '')
    if (text !== '') tokens.push({ type: 'text', text, at, spaced: false })
    if (open < 0) break
    const inside = open + (trimsBefore ? 3 : 2)
    const comment = /^\s*\/\*/.exec(source.slice(inside))
    const action = comment ? skipComment(source, inside + comment[0].length) : readAction(source, open, inside, tokens)
    at = action.next
    trimNext = action.trims
  }
  tokens.push({ type: 'end of text', text: '', at: source.length, spaced: false })
  return tokens
}

interface ActionEnd {
  next: number
  /** White space behind the action is dropped. */
  trims: boolean
}

function skipComment(source: string, from: number): ActionEnd {
  const end = source.indexOf('*/', from)
  if (end < 0) throw new TemplateMistake(from, 'unclosed comment')
  const close = /^(\s+-)?\}\}/.exec(source.slice(end + 2))
  if (!close) throw new TemplateMistake(end, 'comment ends before closing delimiter')
  return { next: end + 2 + close[0].length, trims: close[1] !== undefined }
}

const KEYWORDS = new Set('block break continue define else end if range template with'.split(' '))

/** In order; the first that fits wins. All are anchored where the last one ended. */
const PATTERNS: [type: TokenType, pattern: RegExp][] = [
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['number', /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/uy],
  ['dot', /\./uy],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['identifier', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['string', /"(?:\\[^\n]|[^"\\\n])*"|`[^`]*`/uy],
  ['character', /'(?:\\[^\n]|[^'\\\n])+'/uy],
  ['declare', /:=/uy],
  ['assign', /=/uy],
  ['pipe', /\|/uy],
  ['left paren', /\(/uy],
  ['right paren', /\)/uy],
  ['comma', /,/uy],
]

function readAction(source: string, open: number, from: number, tokens: Token[]): ActionEnd {
  tokens.push({ type: 'open', text: '{{', at: open, spaced: false })
  let at = from
  let depth = 0
  for (;;) {
    const space = /^\s*/.exec(source.slice(at))![0].length
    const spaced = space > 0
    at += space
    if (spaced && source.startsWith('-}}', at)) return close(at, 3, true)
    if (source.startsWith('}}', at)) return close(at, 2, false)
    if (at >= source.length) throw new TemplateMistake(open, 'unclosed action')
    const token = readToken(source, at, spaced)
    if (token.type === 'left paren') depth++
    if (token.type === 'right paren' && --depth < 0) throw new TemplateMistake(at, 'unexpected ")" in command')
    tokens.push(token)
    at += token.text.length
  }

  function close(end: number, length: number, trims: boolean): ActionEnd {
    if (depth > 0) throw new TemplateMistake(end, 'unclosed left paren')
    tokens.push({ type: 'close', text: '}}', at: end, spaced: false })
    return { next: end + length, trims }
  }
}

function readToken(source: string, at: number, spaced: boolean): Token {
  for (const [type, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const text = pattern.exec(source)?.[0]
    if (text === undefined) continue
    if (type === 'number' && /^[\p{L}\p{N}_.]/u.test(source.slice(at + text.length))) {
      const rest = /^[\p{L}\p{N}_.]+/u.exec(source.slice(at + text.length))![0]
      throw new TemplateMistake(at, `bad number syntax: ${JSON.stringify(text + rest)}`)
    }
    return { type: type === 'identifier' ? wordType(text) : type, text, at, spaced }
  }
  if (source[at] === '"') throw new TemplateMistake(at, 'unterminated quoted string')
  if (source[at] === '`') throw new TemplateMistake(at, 'unterminated raw quoted string')
  if (source[at] === "'") throw new TemplateMistake(at, 'unterminated character constant')
  const character = String.fromCodePoint(source.codePointAt(at)!)
  throw new TemplateMistake(at, `unexpected ${JSON.stringify(character)} in command`)
}

function wordType(word: string): TokenType {
  if (word === 'true' || word === 'false') return 'boolean'
  if (word === 'nil') return 'nil'
  return KEYWORDS.has(word) ? 'keyword' : 'identifier'
}
