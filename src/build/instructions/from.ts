import { type Instruction, readFlags } from '../dockerfile/index.ts'
import { bareWords, wrong } from './grammar.ts'
import type { InstructionType } from './instruction-type.ts'

export interface FromCommand {
  kind: 'FROM'
  instruction: Instruction
  image: string
  /** Lower case. */
  stageName: string | undefined
  platform: string | undefined
}

/** Begins a stage; the base is resolved when the stage is planned. */
export const from: InstructionType<FromCommand> = {
  parse(instruction) {
    const flags = readFlags(instruction)
    const platform = flags.text('platform')
    flags.finish()
    const words = bareWords(instruction.argument)
    const isNamed = words.length === 3 && words[1]!.toLowerCase() === 'as'
    if (words.length !== 1 && !isNamed) {
      throw wrong(instruction, 'FROM requires either one or three arguments', {
        hint: 'FROM IMAGE or FROM IMAGE AS NAME',
      })
    }
    const stageName = words[2]?.toLowerCase()
    if (stageName !== undefined && !/^[a-z][a-z0-9\-_.]*$/.test(stageName)) {
      throw wrong(instruction, `invalid name for build stage: ${JSON.stringify(words[2])}`, {
        hint: "a name begins with a letter and holds letters, digits, '-', '_' and '.'",
      })
    }
    return { kind: 'FROM', instruction, image: words[0]!, stageName, platform }
  },
}
