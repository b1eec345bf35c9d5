import { expandWords } from './expand.ts'
import type { Heredoc } from './instruction.ts'
import { withoutReturn } from './logical-line.ts'
import { dockerfileError, type SourcePosition, type SourceText } from './source.ts'

const SIGN = /^(\d*)<<(-?)\s*([^<]*)$/

/** A word that begins a heredoc (`<<EOF`, `3<<-"EOF"`), without its content; undefined for any other word. */
export function parseHeredocSign(word: string): Omit<Heredoc, 'content'> | undefined {
  const match = SIGN.exec(word)
  const rest = match?.[3]
  if (!rest) return undefined
  const nothing = () => undefined
  const names = expandWords(rest, nothing, { escape: '\\', keepUnset: true })
  const raw = expandWords(rest, nothing, { escape: '\\', keepUnset: true, keepQuotes: true })
  if (names.length !== 1 || raw.length !== 1) return undefined
  const quotes = (text: string) => text.replace(/[^'"]/g, '').length
  return { name: names[0]!, expand: quotes(names[0]!) === quotes(raw[0]!), stripTabs: match![2] === '-' }
}

/** The heredocs that an instruction's line announces, in order. Signs inside quotes are text. */
export function heredocSigns(line: string): Omit<Heredoc, 'content'>[] {
  let words: string[]
  try {
    words = expandWords(line, () => undefined, { escape: '\\', keepQuotes: true, keepEscapes: true, keepUnset: true })
  } catch {
    // Not a line of words (an open quote, `${x!y}`): the shell will judge it, and it announces no heredoc.
    return []
  }
  return words.flatMap((word) => parseHeredocSign(word) ?? [])
}

/** Reads the bodies that follow an instruction, from line index `start` on. */
export function readHeredocs(
  source: SourceText,
  start: number,
  signs: Omit<Heredoc, 'content'>[],
  position: SourcePosition,
): { heredocs: Heredoc[]; next: number } {
  let next = start
  const heredocs = signs.map((sign) => {
    const first = next
    for (; next < source.lines.length; next++) {
      const line = withoutReturn(source.lines[next]!)
      if ((sign.stripTabs ? line.replace(/^\t+/, '') : line) === sign.name) {
        const content = source.lines.slice(first, next).map((one) => `${one}\n`)
        next++
        return { ...sign, content: content.join('') }
      }
    }
    throw dockerfileError(source, position, `unterminated heredoc: no line ${sign.name} follows`, {
      hint: `end the heredoc with a line that contains only ${sign.name}`,
    })
  })
  return { heredocs, next }
}
