import { BaleError, isBaleError } from '#base'
import { dockerfileError, type Instruction, located } from '../dockerfile/index.ts'

/** Puts file, line and the line itself in front of what went wrong in a step. */
export function explainAt(instruction: Instruction): (error: unknown) => unknown {
  return (error) => {
    if (!isBaleError(error) || error.code === 'ABORTED' || error.details['line'] !== undefined) return error
    const shown = dockerfileError(instruction.source, instruction.range.start, error.message)
    return new BaleError(error.code, shown.message, {
      hint: error.hint,
      cause: error,
      details: { ...error.details, ...shown.details, place: located(instruction.source, instruction.range.start) },
    })
  }
}
