import type { InstructionType } from './instruction-type.ts'
import { withConfig } from './stage-state.ts'
import { parseText, type TextCommand } from './text-command.ts'

export const user: InstructionType<TextCommand<'USER'>> = {
  parse: (instruction) => parseText('USER', instruction),
  plan({ text }, { state, words }) {
    const User = words.text(text)
    return { state: withConfig(state, { User }), createdBy: `USER ${User}` }
  },
}
