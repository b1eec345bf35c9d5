import { type Instruction, type KeyValue, parseKeyValues, readFlags } from '../dockerfile/index.ts'
import type { Expander } from './expander.ts'

/** ENV and LABEL. */
export interface KeyValueCommand<Kind extends 'ENV' | 'LABEL' = 'ENV' | 'LABEL'> {
  kind: Kind
  instruction: Instruction
  pairs: KeyValue[]
  /** The old form `name value`. */
  isLegacy: boolean
}

export function parsePairs<Kind extends 'ENV' | 'LABEL'>(kind: Kind, instruction: Instruction): KeyValueCommand<Kind> {
  readFlags(instruction).finish()
  return { kind, instruction, ...parseKeyValues(instruction.argument, kind, instruction.escapeCharacter) }
}

/** All values see the variables from before the instruction: `ENV a=b c=$a` uses the old a. */
export function expandPairs({ pairs }: KeyValueCommand, words: Expander): KeyValue[] {
  return pairs.map(({ name, value }) => ({ name: words.text(name), value: words.text(value) }))
}

export function shownPairs(kind: string, pairs: readonly KeyValue[]): string {
  return `${kind} ${pairs.map(({ name, value }) => `${name}=${value}`).join(' ')}`
}
