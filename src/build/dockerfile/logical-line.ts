import type { SourcePosition, SourceText } from './source.ts'

/** One instruction's text after continuation lines are joined, and the position of each part in the file. */
export interface LogicalLine {
  text: string
  /** Parts by growing offset in `text`. */
  pieces: readonly { offset: number; position: SourcePosition }[]
  /** Number of the last line read for it. */
  lastLine: number
  /** It contains an empty line (deprecated, a warning). */
  emptyContinuation: boolean
}

export function positionIn(line: LogicalLine, offset: number): SourcePosition {
  const piece = line.pieces.findLast((one) => one.offset <= offset) ?? line.pieces[0]!
  return { line: piece.position.line, column: piece.position.column + offset - piece.offset }
}

/**
 * Reads the next instruction from line index `start` on: skips blank lines and comments before it and inside it, and
 * joins lines that end with the escape character. A doubled escape character at the end joins nothing.
 * Returns undefined at the end of the file.
 */
export function readLogicalLine(source: SourceText, start: number, escapeCharacter: string): LogicalLine | undefined {
  let first = start
  while (first < source.lines.length && isBlankOrComment(source.lines[first]!)) first++
  if (first >= source.lines.length) return undefined

  let text = ''
  const pieces: LogicalLine['pieces'][number][] = []
  let emptyContinuation = false
  let last = first
  for (let index = first; index < source.lines.length; index++) {
    last = index
    const raw = withoutReturn(source.lines[index]!)
    if (index > first && isComment(raw)) continue
    if (index > first && raw.trim() === '') {
      emptyContinuation = true
      continue
    }
    const skipped = index === first ? raw.length - raw.trimStart().length : 0
    const { text: part, continues } = withoutContinuation(raw.slice(skipped), escapeCharacter)
    pieces.push({ offset: text.length, position: { line: index + 1, column: skipped + 1 } })
    text += part
    if (!continues) break
  }
  return { text, pieces, lastLine: last + 1, emptyContinuation }
}

function withoutContinuation(line: string, escapeCharacter: string): { text: string; continues: boolean } {
  const trimmed = line.replace(/[ \t]+$/, '')
  const continues = trimmed.endsWith(escapeCharacter) && trimmed.at(-2) !== escapeCharacter
  return continues ? { text: trimmed.slice(0, -1), continues } : { text: line, continues }
}

export function withoutReturn(line: string): string {
  return line.replace(/\r+$/, '')
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith('#')
}

function isBlankOrComment(line: string): boolean {
  return line.trim() === '' || isComment(line)
}
