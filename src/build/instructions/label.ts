import type { InstructionType } from './instruction-type.ts'
import { expandPairs, type KeyValueCommand, parsePairs, shownPairs } from './key-values.ts'
import { withConfig } from './stage-state.ts'

export const label: InstructionType<KeyValueCommand<'LABEL'>> = {
  parse: (instruction) => parsePairs('LABEL', instruction),
  plan(command, { state, words }) {
    const pairs = expandPairs(command, words)
    const labels = Object.fromEntries(pairs.map(({ name, value }) => [name, value]))
    const after = withConfig(state, { Labels: { ...state.config.Labels, ...labels } })
    return { state: after, createdBy: shownPairs('LABEL', pairs) }
  },
}
