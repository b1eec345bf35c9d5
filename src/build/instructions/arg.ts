import { type Instruction, Mistake, readFlags, splitQuotedWords } from '../dockerfile/index.ts'
import { required } from './grammar.ts'
import type { InstructionType } from './instruction-type.ts'

export interface ArgCommand {
  kind: 'ARG'
  instruction: Instruction
  arguments: { name: string; value: string | undefined }[]
}

/** The value: given with --build-arg, else the default, else that of an ARG before the first FROM. */
export const arg: InstructionType<ArgCommand> = {
  parse(instruction) {
    readFlags(instruction).finish()
    const words = splitQuotedWords(required(instruction), instruction.escapeCharacter)
    const declared = words.map((word) => {
      const equals = word.indexOf('=')
      if (equals === 0) throw new Mistake('ARG names can not be blank', { word })
      return equals < 0
        ? { name: word, value: undefined }
        : { name: word.slice(0, equals), value: word.slice(equals + 1) }
    })
    return { kind: 'ARG', instruction, arguments: declared }
  },
  plan(command, { state, words, scope }) {
    const variables = new Map(state.variables)
    const declared = new Map(state.declared)
    const written = command.arguments.map(({ name, value }) => {
      const result = scope.given.get(name) ?? (value === undefined ? scope.globals.get(name) : words.text(value))
      if (result !== undefined) variables.set(name, result)
      declared.set(name, result ?? '')
      return result === undefined ? name : `${name}=${result}`
    })
    return { state: { ...state, variables, declared }, createdBy: `ARG ${written.join(' ')}` }
  },
}
