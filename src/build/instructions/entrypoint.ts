import { readFlags } from '../dockerfile/index.ts'
import type { ShellFormCommand } from './cmd.ts'
import { commandLine, withShell } from './command-line.ts'
import { goQuotedList } from './go-format.ts'
import type { InstructionType } from './instruction-type.ts'
import { withConfig, withoutConfig } from './stage-state.ts'

/** Drops a CMD that the base brought; one of this file stays. */
export const entrypoint: InstructionType<ShellFormCommand<'ENTRYPOINT'>> = {
  parse(instruction) {
    readFlags(instruction).finish()
    return { kind: 'ENTRYPOINT', instruction, line: commandLine(instruction) }
  },
  plan({ line }, { state }) {
    const Entrypoint = withShell(state, line)
    const kept = state.commandIsSet ? state : withoutConfig(state, 'Cmd')
    return { state: withConfig(kept, { Entrypoint }), createdBy: `ENTRYPOINT ${goQuotedList(Entrypoint)}` }
  },
}
