import { posix } from 'node:path'
import type { InstructionType } from './instruction-type.ts'
import { withConfig } from './stage-state.ts'
import { parseText, type TextCommand } from './text-command.ts'

/** The directory is relative to the one before, and is made when it is missing. */
export const workdir: InstructionType<TextCommand<'WORKDIR'>> = {
  parse: (instruction) => parseText('WORKDIR', instruction),
  plan({ text }, { state, words }) {
    const directory = posix.resolve('/', state.config.WorkingDir ?? '/', words.text(text))
    return {
      state: { ...withConfig(state, { WorkingDir: directory }), workdirIsSet: true },
      createdBy: `WORKDIR ${directory}`,
      work: { operation: 'workdir', definition: { directory, user: state.config.User ?? '' }, sources: [] },
    }
  },
}
