import type { InstructionType } from './instruction-type.ts'
import { expandPairs, type KeyValueCommand, parsePairs, shownPairs } from './key-values.ts'
import { withEnv } from './stage-state.ts'

export const env: InstructionType<KeyValueCommand<'ENV'>> = {
  parse: (instruction) => parsePairs('ENV', instruction),
  plan(command, { state, words }) {
    const pairs = expandPairs(command, words)
    const after = pairs.reduce((before, { name, value }) => withEnv(before, name, value), state)
    return { state: after, createdBy: shownPairs('ENV', pairs) }
  },
}
