import type { Dockerfile, Instruction } from '../dockerfile/index.ts'
import type { Command } from '../instructions/index.ts'
import type { Checker } from './checker.ts'
import { commentsAbove, linesOf, writtenKeyword } from './place.ts'

/** Checks one instruction by itself. */
export function checkInstruction(dockerfile: Dockerfile, command: Command, checker: Checker): void {
  const { instruction } = command
  const comments = commentsAbove(dockerfile, instruction)
  const own = checker.under(comments)
  const lines = linesOf(instruction)
  if (instruction.line.emptyContinuation) checker.report('NoEmptyContinuation', [instruction.line.lastLine])
  if (command.kind === 'MAINTAINER') own.report('MaintainerDeprecated', lines)
  if (command.kind === 'ARG')
    checkDescription(
      'ARG',
      command.arguments.map(({ name }) => name),
      comments,
      lines,
      own,
    )
  if (command.kind !== 'FROM') return
  checkCasing(instruction, own)
  if (command.stageName !== undefined) checkDescription('FROM', [command.stageName], comments, lines, own)
}

function checkCasing(instruction: Instruction, checker: Checker): void {
  const [, as, stage] = instruction.argument.split(/\s+/)
  if (as === undefined || stage === undefined) return
  const lines = linesOf(instruction)
  const from = writtenKeyword(instruction)
  if (stage !== stage.toLowerCase()) checker.report('StageNameCasing', lines, stage)
  const isLower = from === from.toLowerCase()
  // A keyword of mixed casing is reported elsewhere.
  if (!isLower && from !== from.toUpperCase()) return
  if (as !== (isLower ? as.toLowerCase() : as.toUpperCase())) checker.report('FromAsCasing', lines, from, as)
}

function checkDescription(
  instruction: string,
  names: readonly string[],
  comments: readonly string[],
  lines: readonly number[],
  checker: Checker,
): void {
  const last = comments.at(-1)
  if (last === undefined || names.length === 0 || names.includes(last.split(' ')[0]!)) return
  checker.report('InvalidDefinitionDescription', lines, instruction, names.length > 1 ? '<arg_key>' : names[0]!)
}
