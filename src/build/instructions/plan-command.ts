import { explainAt, type Instruction } from '../dockerfile/index.ts'
import { createExpander, type Expander } from './expander.ts'
import type { BuildScope, InstructionType, Planned } from './instruction-type.ts'
import type { StageState } from './stage-state.ts'
import { type Command, INSTRUCTIONS, type StageCommand } from './table.ts'

/** Understands one instruction. Throws DOCKERFILE_INVALID at the place that is wrong. */
export function parseCommand(instruction: Instruction): Command {
  return at(instruction, () => INSTRUCTIONS[instruction.keyword].parse(instruction, parseCommand))
}

/**
 * The stage after one instruction, with what is to be done to its files. Pure. Throws DOCKERFILE_INVALID at the word that is
 * wrong. This is the one place where errors in words get their position.
 */
export function planCommand(
  command: StageCommand,
  state: StageState,
  scope: BuildScope,
): Planned & { unset: Expander['unset'] } {
  const { kind, instruction } = command
  const words = createExpander(instruction, state.variables)
  // The table is by kind, so type and command fit.
  const type = INSTRUCTIONS[kind] as InstructionType<StageCommand>
  return { ...at(instruction, () => type.plan!(command, { state, words, scope })), unset: words.unset }
}

function at<T>(instruction: Instruction, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw explainAt(instruction)(error)
  }
}
