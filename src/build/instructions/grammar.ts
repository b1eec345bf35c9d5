import { dockerfileError, type Instruction, positionIn } from '../dockerfile/index.ts'

/** DOCKERFILE_INVALID at the arguments of an instruction, or at its keyword when there are none. */
export function wrong(instruction: Instruction, message: string, options: { hint?: string } = {}) {
  const offset = instruction.argument === '' ? 0 : instruction.argumentOffset
  const position = offset === 0 ? instruction.range.start : positionIn(instruction.line, offset)
  return dockerfileError(instruction.source, position, message, { hint: options.hint })
}

/** The argument; it is an error that there is none. */
export function required(instruction: Instruction): string {
  if (instruction.argument === '') throw wrong(instruction, `${instruction.keyword} requires at least one argument`)
  return instruction.argument
}

/** The words of an argument in which quotes have no meaning. */
export function bareWords(argument: string): string[] {
  return argument.split(/\s+/).filter((word) => word !== '')
}
