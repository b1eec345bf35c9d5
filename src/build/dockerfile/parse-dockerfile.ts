import { BaleError, nearest } from '#base'
import { type Directives, readDirectives } from './directives.ts'
import { heredocSigns, readHeredocs } from './heredoc.ts'
import { type Instruction, KEYWORDS, type Keyword } from './instruction.ts'
import { parseJsonForm } from './json-form.ts'
import { type LogicalLine, positionIn, readLogicalLine } from './logical-line.ts'
import { dockerfileError, type SourceText, sourceText } from './source.ts'
import { splitInstruction } from './split-instruction.ts'

export interface Dockerfile {
  source: SourceText
  directives: Directives
  instructions: readonly Instruction[]
}

/** A Dockerfile is text for people; BuildKit's client refuses more than 2 MiB likewise. */
const SIZE_LIMIT = 2 * 1024 * 1024

const JSON_KEYWORDS = new Set<string>(['ADD', 'CMD', 'COPY', 'ENTRYPOINT', 'RUN', 'SHELL', 'VOLUME'])
const HEREDOC_KEYWORDS = new Set<string>(['ADD', 'COPY', 'RUN'])

/**
 * Splits a Dockerfile into instructions: directives, comments, continuation lines, flags, JSON form, heredocs. Pure.
 * Throws DOCKERFILE_INVALID with file, line and column. Nothing is expanded: values depend on the stage.
 */
export function parseDockerfile(text: string, name = 'Dockerfile'): Dockerfile {
  if (text.length > SIZE_LIMIT) throw new BaleError('DOCKERFILE_INVALID', `${name} is larger than 2 MiB`)
  const source = sourceText(name, text)
  const directives = readDirectives(source)
  const instructions: Instruction[] = []
  for (let next = directives.next; ; ) {
    const line = readLogicalLine(source, next, directives.escape)
    if (!line) break
    const read = readInstruction(source, line, directives.escape)
    instructions.push(read.instruction)
    next = read.next
  }
  if (instructions.length === 0) {
    throw new BaleError('DOCKERFILE_INVALID', `${name} has no instructions`, {
      hint: 'a Dockerfile begins with FROM IMAGE',
      details: { file: name, line: 1 },
    })
  }
  return { source, directives, instructions }
}

/** The trigger of a base image's `OnBuild` list, as an instruction of its own little file. */
export function parseTrigger(text: string, name: string): Instruction {
  const { instructions } = parseDockerfile(text, name)
  return instructions[0]!
}

function readInstruction(
  source: SourceText,
  line: LogicalLine,
  escapeCharacter: string,
): { instruction: Instruction; next: number } {
  const bare = splitOne(source, line, 0, escapeCharacter)
  const holder = bare.trigger ?? bare
  const start = bare.range.start
  if (!HEREDOC_KEYWORDS.has(holder.keyword) || holder.json || !line.text.includes('<<')) {
    return { instruction: bare, next: line.lastLine }
  }
  const { heredocs, next } = readHeredocs(source, line.lastLine, heredocSigns(line.text), start)
  if (heredocs.length === 0) return { instruction: bare, next: line.lastLine }
  const range = { start, end: { line: next, column: (source.lines[next - 1] ?? '').length + 1 } }
  const trigger = bare.trigger && { ...bare.trigger, heredocs, range }
  return { instruction: { ...bare, heredocs, range, trigger }, next }
}

function splitOne(source: SourceText, line: LogicalLine, start: number, escapeCharacter: string): Instruction {
  const split = splitInstruction(line.text, start, escapeCharacter)
  const position = positionIn(line, start)
  const keyword = split.keyword.toUpperCase()
  if (!isKeyword(keyword)) {
    const meant = nearest(split.keyword, KEYWORDS)
    throw dockerfileError(source, position, `unknown instruction: ${split.keyword}`, {
      hint: meant ? `did you mean ${meant}?` : `instructions are ${KEYWORDS.join(' ')}`,
    })
  }
  const trigger =
    keyword === 'ONBUILD' && split.argument !== ''
      ? splitOne(source, line, split.argumentOffset, escapeCharacter)
      : undefined
  return {
    keyword,
    source,
    line,
    range: { start: position, end: { line: line.lastLine, column: source.lines[line.lastLine - 1]!.length + 1 } },
    flags: split.flags,
    argument: split.argument,
    argumentOffset: split.argumentOffset,
    json: jsonOf(source, line, keyword, split.argument, split.argumentOffset),
    heredocs: [],
    trigger,
    escapeCharacter,
  }
}

function jsonOf(source: SourceText, line: LogicalLine, keyword: Keyword, argument: string, offset: number) {
  const prefix = keyword === 'HEALTHCHECK' ? (/^\S+\s+/.exec(argument)?.[0].length ?? argument.length) : 0
  if (!JSON_KEYWORDS.has(keyword) && keyword !== 'HEALTHCHECK') return undefined
  const parsed = parseJsonForm(argument.slice(prefix))
  if (parsed.form === 'wrong') {
    const position = positionIn(line, offset + prefix)
    throw dockerfileError(source, position, 'a JSON array of an instruction must contain only strings')
  }
  return parsed.form === 'json' ? parsed.words : undefined
}

function isKeyword(text: string): text is Keyword {
  return (KEYWORDS as readonly string[]).includes(text)
}
