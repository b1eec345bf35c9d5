import { expandWord, type Instruction } from '../dockerfile/index.ts'
import { shownSource } from './added-source.ts'
import type { StageState } from './stage-state.ts'

const LONGEST = 400

/** An instruction as the progress shows it: one line, variables filled in where they are known. */
export function stepTitle(instruction: Instruction, state: StageState): string {
  const flags = instruction.flags.map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=${value}`))
  const text = [instruction.keyword, ...flags, instruction.argument].join(' ').replace(/\s+/g, ' ')
  const body = instruction.heredocs[0]?.content.trim().split('\n')[0]
  const whole = body === undefined ? fill(text, instruction, state) : `${text} (${body}${'…'})`
  const filled = instruction.keyword === 'ADD' ? whole.replace(/https?:\/\/\S+/gi, shownSource) : whole
  return filled.length > LONGEST ? `${filled.slice(0, LONGEST)}…` : filled
}

function fill(text: string, instruction: Instruction, state: StageState): string {
  try {
    const options = { escape: instruction.escapeCharacter, keepQuotes: true, keepEscapes: true, keepUnset: true }
    return expandWord(text, (name) => state.variables.get(name), options).text
  } catch {
    // A command line of a shell need not be one of ours.
    return text
  }
}
