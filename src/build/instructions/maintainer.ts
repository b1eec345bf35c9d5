import type { InstructionType } from './instruction-type.ts'
import { parseText, type TextCommand } from './text-command.ts'

export const maintainer: InstructionType<TextCommand<'MAINTAINER'>> = {
  parse: (instruction) => parseText('MAINTAINER', instruction),
  plan: ({ text }, { state }) => ({ state: { ...state, author: text }, createdBy: `MAINTAINER ${text}` }),
}
