import { BaleError, type NextStep, printable } from '#base'

/** Line and column count from 1; a column counts UTF-16 units of the line as written in the file. */
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

/** A place in a Dockerfile as plain data: what a message shows of it. */
export interface Origin {
  file: string
  line: number
  column: number
  /** The line itself. */
  text: string
}

export function originAt(source: SourceText, { line, column }: SourcePosition): Origin {
  return { file: source.name, line, column, text: source.lines[line - 1] ?? '' }
}

/** DOCKERFILE_INVALID with file, line, column and the line itself, for people. */
export function dockerfileError(
  source: SourceText,
  position: SourcePosition,
  message: string,
  options: { hint?: string; next?: NextStep; cause?: unknown } = {},
): BaleError {
  return errorAt(originAt(source, position), message, options)
}

/** The same for a place that is kept as data. */
export function errorAt(origin: Origin, message: string, options: { hint?: string; cause?: unknown } = {}): BaleError {
  const { file, line, column } = origin
  return new BaleError('DOCKERFILE_INVALID', `${file}:${line}:${column}: ${message}${excerpt(origin)}`, {
    ...options,
    details: { file, line, column },
  })
}

function excerpt({ line, column, text }: Origin): string {
  const number = String(line)
  const indent = ' '.repeat(number.length)
  const before = printable(text.slice(0, column - 1), 200)
  return `\n  ${number} | ${printable(text.replace(/\r$/, ''), 400)}\n  ${indent} | ${before.replace(/[^\t]/g, ' ')}^`
}
