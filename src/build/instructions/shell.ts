import { readFlags } from '../dockerfile/index.ts'
import type { WordsCommand } from './expose.ts'
import { goList } from './go-format.ts'
import { wrong } from './grammar.ts'
import type { InstructionType } from './instruction-type.ts'
import { withConfig } from './stage-state.ts'

export const shell: InstructionType<WordsCommand<'SHELL'>> = {
  parse(instruction) {
    readFlags(instruction).finish()
    if (!instruction.json) throw wrong(instruction, 'SHELL requires the arguments to be in JSON form')
    if (instruction.json.length === 0) throw wrong(instruction, 'SHELL requires at least one argument')
    return { kind: 'SHELL', instruction, words: [...instruction.json] }
  },
  plan: ({ words }, { state }) => ({
    state: withConfig(state, { Shell: words }),
    createdBy: `SHELL ${goList(words)}`,
  }),
}
