import { type Instruction, readFlags } from '../dockerfile/index.ts'
import { required, wrong } from './grammar.ts'
import type { InstructionType } from './instruction-type.ts'
import { withConfig } from './stage-state.ts'

export interface OnbuildCommand {
  kind: 'ONBUILD'
  instruction: Instruction
  /** The trigger as it goes into the image's config. */
  trigger: string
}

export const onbuild: InstructionType<OnbuildCommand> = {
  parse(instruction, parseOther) {
    readFlags(instruction).finish()
    required(instruction)
    const { trigger } = instruction
    if (trigger?.keyword === 'ONBUILD') throw wrong(instruction, 'chaining ONBUILD via ONBUILD ONBUILD is not allowed')
    if (trigger?.keyword === 'FROM' || trigger?.keyword === 'MAINTAINER') {
      throw wrong(instruction, `${trigger.keyword} is not allowed as an ONBUILD trigger`)
    }
    // Understood now, so that a mistake shows here and not in a later build.
    if (trigger) parseOther(trigger)
    const bodies = instruction.heredocs.map((heredoc) => `\n${heredoc.content}${heredoc.name}`)
    return { kind: 'ONBUILD', instruction, trigger: instruction.argument + bodies.join('') }
  },
  /** It shows in the configuration only, as in BuildKit. */
  plan: ({ trigger }, { state }) => ({
    state: withConfig(state, { OnBuild: [...(state.config.OnBuild ?? []), trigger] }),
  }),
}
