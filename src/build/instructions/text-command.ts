import { type Instruction, readFlags } from '../dockerfile/index.ts'
import { required } from './grammar.ts'

/** An instruction whose whole argument is one text. */
export interface TextCommand<Kind extends string = 'WORKDIR' | 'USER' | 'STOPSIGNAL' | 'MAINTAINER'> {
  kind: Kind
  instruction: Instruction
  text: string
}

export function parseText<Kind extends string>(kind: Kind, instruction: Instruction): TextCommand<Kind> {
  readFlags(instruction).finish()
  return { kind, instruction, text: required(instruction) }
}
