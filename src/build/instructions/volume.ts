import { readFlags } from '../dockerfile/index.ts'
import type { WordsCommand } from './expose.ts'
import { goList } from './go-format.ts'
import { required, wrong } from './grammar.ts'
import type { InstructionType } from './instruction-type.ts'
import { withConfig } from './stage-state.ts'

export const volume: InstructionType<WordsCommand<'VOLUME'>> = {
  parse(instruction) {
    readFlags(instruction).finish()
    const words = instruction.json ? [...instruction.json] : required(instruction).split(/\s+/)
    if (words.length === 0) throw wrong(instruction, 'VOLUME requires at least one argument')
    if (words.some((word) => word.trim() === '')) {
      throw wrong(instruction, 'VOLUME specified can not be an empty string')
    }
    return { kind: 'VOLUME', instruction, words: words.map((word) => word.trim()) }
  },
  plan(command, { state, words }) {
    const volumes = command.words.map((word) => words.text(word))
    const added = Object.fromEntries(volumes.map((path) => [path, {}]))
    const after = withConfig(state, { Volumes: { ...state.config.Volumes, ...added } })
    return { state: after, createdBy: `VOLUME ${goList(volumes)}` }
  },
}
