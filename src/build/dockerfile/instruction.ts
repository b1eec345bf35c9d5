import type { LogicalLine } from './logical-line.ts'
import type { SourceRange, SourceText } from './source.ts'

export const KEYWORDS = [
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
] as const

export type Keyword = (typeof KEYWORDS)[number]

/** `--name=value` or `--name` before an instruction's arguments, with quotes and escapes removed. */
export interface Flag {
  name: string
  value: string | undefined
  /** Offset in the logical line. */
  offset: number
}

export interface Heredoc {
  name: string
  /** The lines between, each with its line end; tabs are still there. */
  content: string
  /** False when the name was quoted: variables in the content stay as they are. */
  expand: boolean
  /** `<<-`: leading tabs are not part of the content. */
  stripTabs: boolean
}

/** One instruction as written: split, but nothing expanded or checked yet. */
export interface Instruction {
  keyword: Keyword
  source: SourceText
  line: LogicalLine
  /** From the keyword to the end of the last heredoc. */
  range: SourceRange
  flags: readonly Flag[]
  /** What follows keyword and flags, trimmed. */
  argument: string
  /** Offset of `argument` in the logical line. */
  argumentOffset: number
  /** The argument as a JSON array of strings, when it is one. */
  json: readonly string[] | undefined
  heredocs: readonly Heredoc[]
  /** Of ONBUILD: what is to be done later. */
  trigger?: Instruction
  /** The escape character of its file. */
  escapeCharacter: string
}

/** Content as the file or script gets it. */
export function heredocContent(heredoc: Heredoc): string {
  return heredoc.stripTabs ? heredoc.content.replace(/^\t+/gm, '') : heredoc.content
}
