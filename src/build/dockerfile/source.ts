import { BaleError, printable } from '#base'

/** Line and column count from 1; a column counts UTF-16 units of the line as it stands in the file. */
export interface SourcePosition {
  line: number
  column: number
}

export interface SourceRange {
  start: SourcePosition
  /** The last line and one past its last character. */
  end: SourcePosition
}

/** A Dockerfile (or the triggers of a base image) as lines, with the name that messages use. */
export interface SourceText {
  name: string
  /** Without line ends; a BOM in front of the first is gone. */
  lines: readonly string[]
}

export function sourceText(name: string, text: string): SourceText {
  const lines = text.replace(/^\uFEFF/, '').split('\n')
  if (lines.at(-1) === '') lines.pop()
  return { name, lines }
}

/** DOCKERFILE_INVALID with file, line, column and the line itself, as a person wants to see it. */
export function dockerfileError(
  source: SourceText,
  position: SourcePosition,
  message: string,
  options: { hint?: string; cause?: unknown } = {},
): BaleError {
  return new BaleError('DOCKERFILE_INVALID', `${located(source, position)}: ${message}${excerpt(source, position)}`, {
    ...options,
    details: { file: source.name, line: position.line, column: position.column },
  })
}

/** `Dockerfile:3:5`, for messages of steps too. */
export function located(source: SourceText, position: SourcePosition): string {
  return `${source.name}:${position.line}:${position.column}`
}

function excerpt(source: SourceText, position: SourcePosition): string {
  const line = source.lines[position.line - 1]
  if (line === undefined) return ''
  const number = String(position.line)
  const indent = ' '.repeat(number.length)
  const before = printable(line.slice(0, position.column - 1), 200)
  return `\n  ${number} | ${printable(line.replace(/\r$/, ''), 400)}\n  ${indent} | ${before.replace(/[^\t]/g, ' ')}^`
}
