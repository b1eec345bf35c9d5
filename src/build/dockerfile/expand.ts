import { parseGlob, replaceMatches, trimPrefix, trimSuffix } from './glob-match.ts'
import { Mistake } from './mistake.ts'

/** Where values come from: environment and build arguments of a stage. */
type Variables = (name: string) => string | undefined

interface ExpandOptions {
  escape: string
  /** Keep quotes in the result (a line that a shell reads later). */
  keepQuotes?: boolean
  /** Keep escape characters in the result. */
  keepEscapes?: boolean
  /** Quotes mean nothing (content of a heredoc). */
  ignoreQuotes?: boolean
  /** `$x` of an unknown x stays as written. */
  keepUnset?: boolean
}

interface Expanded {
  text: string
  /** Names that had no value. */
  missing: Set<string>
}

/** Expands one word: quotes and escapes are resolved, blanks kept. Throws a Mistake with the place in the word. */
export function expandWord(word: string, variables: Variables, options: ExpandOptions): Expanded {
  const cursor: Cursor = { text: word, index: 0, variables, options, missing: new Set() }
  return { text: readUntil(cursor, undefined, options.keepEscapes ?? false).text, missing: cursor.missing }
}

/** Expands, then splits at blanks outside quotes; `$x` may yield several words. */
export function expandWords(text: string, variables: Variables, options: ExpandOptions): string[] {
  const cursor: Cursor = { text, index: 0, variables, options, missing: new Set() }
  return readUntil(cursor, undefined, options.keepEscapes ?? false).words
}

interface Cursor {
  text: string
  index: number
  variables: Variables
  options: ExpandOptions
  missing: Set<string>
}

/** Collects the text, and beside it the words that it splits into. */
class Words {
  text = ''
  readonly words: string[] = []
  #word = ''

  /** Blanks in it end a word. */
  add(text: string): void {
    this.text += text
    for (const character of text) {
      if (!/\s/.test(character)) this.#word += character
      else this.#end()
    }
  }

  /** Taken as it is. */
  addQuoted(text: string): void {
    this.text += text
    this.#word += text
  }

  finish(): { text: string; words: string[] } {
    this.#end()
    return { text: this.text, words: this.words }
  }

  #end(): void {
    if (this.#word !== '') this.words.push(this.#word)
    this.#word = ''
  }
}

function readUntil(cursor: Cursor, stop: string | undefined, keepEscapes: boolean): { text: string; words: string[] } {
  const result = new Words()
  const { text, options } = cursor
  while (cursor.index < text.length) {
    const character = text[cursor.index]!
    if (character === stop) {
      cursor.index++
      return result.finish()
    }
    if (character === '$') result.add(readDollar(cursor))
    else if (character === '<' && text[cursor.index + 1] === '<') result.addQuoted(readHeredocSign(cursor))
    else if (character === "'" && !options.ignoreQuotes) result.addQuoted(readSingleQuoted(cursor))
    else if (character === '"' && !options.ignoreQuotes) result.addQuoted(readDoubleQuoted(cursor, keepEscapes))
    else if (character === options.escape) {
      if (keepEscapes) result.addQuoted(character)
      const escaped = text[++cursor.index]
      if (escaped === undefined) break
      result.addQuoted(escaped)
      cursor.index++
    } else {
      result.add(character)
      cursor.index++
    }
  }
  if (stop !== undefined) throw mistake(cursor, `syntax error: missing '${stop}'`)
  return result.finish()
}

/** `<< WORD` is one word, so that the blank between does not split it. */
function readHeredocSign(cursor: Cursor): string {
  const start = cursor.index
  cursor.index += 2
  while (/[ \t\r]/.test(cursor.text[cursor.index] ?? '')) cursor.index++
  return cursor.text.slice(start, cursor.index)
}

function readSingleQuoted(cursor: Cursor): string {
  const end = cursor.text.indexOf("'", cursor.index + 1)
  if (end < 0) throw mistake(cursor, 'unexpected end of statement while looking for matching single-quote')
  const start = cursor.index
  cursor.index = end + 1
  return cursor.options.keepQuotes ? cursor.text.slice(start, end + 1) : cursor.text.slice(start + 1, end)
}

/** Only `"`, `$` and the escape character itself can be escaped; before other characters it stays. */
function readDoubleQuoted(cursor: Cursor, keepEscapes: boolean): string {
  const { text, options } = cursor
  const start = cursor.index
  let result = options.keepQuotes ? '"' : ''
  cursor.index++
  while (cursor.index < text.length) {
    const character = text[cursor.index]!
    if (character === '"') {
      cursor.index++
      return options.keepQuotes ? `${result}"` : result
    }
    if (character === '$') {
      result += readDollar(cursor)
      continue
    }
    cursor.index++
    const next = text[cursor.index]
    if (
      character === options.escape &&
      next !== undefined &&
      (next === '"' || next === '$' || next === options.escape)
    ) {
      result += keepEscapes ? character + next : next
      cursor.index++
    } else if (character !== options.escape || next !== undefined) result += character
  }
  throw mistake(cursor, 'unexpected end of statement while looking for matching double-quote', start)
}

function readDollar(cursor: Cursor): string {
  const start = cursor.index
  cursor.index++
  if (cursor.text[cursor.index] !== '{') {
    const name = readName(cursor)
    if (name === '') return '$'
    return lookUp(cursor, name) ?? (cursor.options.keepUnset ? `$${name}` : '')
  }
  cursor.index++
  const first = cursor.text[cursor.index]
  if (first === undefined) throw mistake(cursor, "syntax error: missing '}'", start)
  if ('{}:'.includes(first)) throw mistake(cursor, 'syntax error: bad substitution', start)
  const name = readName(cursor)
  return readModifier(cursor, name, start)
}

/** `start`: the position of the `$` of this substitution. */
function readModifier(cursor: Cursor, name: string, start: number): string {
  const { options } = cursor
  const modifier = cursor.text[cursor.index++]
  if (modifier === undefined) throw mistake(cursor, "syntax error: missing '}'", start)
  if (modifier === '}') return lookUp(cursor, name) ?? (options.keepUnset ? `\${${name}}` : '')
  if (modifier === '/') return readReplacement(cursor, name, start)

  const orEmpty = modifier === ':'
  const operator = orEmpty ? (cursor.text[cursor.index++] ?? '') : modifier
  const sign = orEmpty ? `:${operator}` : operator
  if (!'-+?#%'.includes(operator) || operator === '' || (orEmpty && '#%'.includes(operator))) {
    throw mistake(cursor, `unsupported modifier (${sign}) in substitution`, start)
  }
  const word = readUntil(cursor, '}', '#%'.includes(operator)).text
  const value = lookUp(cursor, name)
  if (value === undefined && options.keepUnset) return `\${${name}${sign}${word}}`
  const absent = value === undefined || (orEmpty && value === '')
  switch (operator) {
    case '-':
      return absent ? word : value
    case '+':
      return absent ? '' : word
    case '?':
      if (!absent) return value
      throw mistake(
        cursor,
        `${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`,
        start,
      )
    default: {
      const longest = word.startsWith(operator)
      const pattern = globOf(cursor, longest ? word.slice(1) : word, start)
      return (operator === '#' ? trimPrefix : trimSuffix)(value ?? '', pattern, longest)
    }
  }
}

function readReplacement(cursor: Cursor, name: string, start: number): string {
  const all = cursor.text[cursor.index] === '/'
  if (all) cursor.index++
  const pattern = readUntil(cursor, '/', true).text
  const replacement = readUntil(cursor, '}', true).text
  const value = lookUp(cursor, name)
  if (value === undefined && cursor.options.keepUnset) return `\${${name}/${all ? '/' : ''}${pattern}/${replacement}}`
  return replaceMatches(value ?? '', globOf(cursor, pattern, start), replacement, all)
}

function globOf(cursor: Cursor, pattern: string, start: number) {
  const parsed = parseGlob(pattern)
  if ('tokens' in parsed) return parsed
  throw mistake(cursor, `invalid pattern (${pattern}) in substitution: invalid escape ${parsed.wrongEscape}`, start)
}

function mistake(cursor: Cursor, message: string, offset = cursor.index): Mistake {
  return new Mistake(message, { word: cursor.text, offset: Math.min(offset, Math.max(0, cursor.text.length - 1)) })
}

function lookUp(cursor: Cursor, name: string): string | undefined {
  const value = cursor.variables(name)
  if (value === undefined) cursor.missing.add(name)
  return value
}

/** A name of letters, digits and `_`; or only digits; or one special parameter of the shell. */
function readName(cursor: Cursor): string {
  const rest = cursor.text.slice(cursor.index)
  const match = /^(?:[0-9]+|[@*#?$!-]|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(rest)
  const name = match?.[0] ?? ''
  cursor.index += name.length
  return name
}
