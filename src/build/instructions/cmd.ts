import { type Instruction, readFlags } from '../dockerfile/index.ts'
import { type CommandLine, commandLine, withShell } from './command-line.ts'
import { goQuotedList } from './go-format.ts'
import type { InstructionType } from './instruction-type.ts'
import { withConfig } from './stage-state.ts'

/** CMD and ENTRYPOINT. */
export interface ShellFormCommand<Kind extends 'CMD' | 'ENTRYPOINT' = 'CMD' | 'ENTRYPOINT'> {
  kind: Kind
  instruction: Instruction
  line: CommandLine
}

export const cmd: InstructionType<ShellFormCommand<'CMD'>> = {
  parse(instruction) {
    readFlags(instruction).finish()
    return { kind: 'CMD', instruction, line: commandLine(instruction) }
  },
  plan({ line }, { state }) {
    const Cmd = withShell(state, line)
    return { state: { ...withConfig(state, { Cmd }), commandIsSet: true }, createdBy: `CMD ${goQuotedList(Cmd)}` }
  },
}
