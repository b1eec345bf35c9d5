import { type Instruction, inWord, Mistake, readFlags } from '../dockerfile/index.ts'
import { goList } from './go-format.ts'
import { bareWords, required } from './grammar.ts'
import type { InstructionType } from './instruction-type.ts'
import { withConfig } from './stage-state.ts'

/** EXPOSE, VOLUME and SHELL. */
export interface WordsCommand<Kind extends 'EXPOSE' | 'VOLUME' | 'SHELL' = 'EXPOSE' | 'VOLUME' | 'SHELL'> {
  kind: Kind
  instruction: Instruction
  words: string[]
}

export const expose: InstructionType<WordsCommand<'EXPOSE'>> = {
  parse(instruction) {
    readFlags(instruction).finish()
    return { kind: 'EXPOSE', instruction, words: bareWords(required(instruction)).sort() }
  },
  plan(command, { state, words }) {
    const ports = command.words.flatMap((word) => inWord(word, () => words.list(word).flatMap(exposedPorts)))
    const added = Object.fromEntries(ports.map((port) => [port, {}]))
    const after = withConfig(state, { ExposedPorts: { ...state.config.ExposedPorts, ...added } })
    return { state: after, createdBy: `EXPOSE ${goList(ports)}` }
  },
}

/**
 * `80`, `80/udp`, `8000-8010/tcp`, and with host parts that EXPOSE ignores (`127.0.0.1:80:80`), as keys of ExposedPorts.
 * Throws a Mistake.
 */
function exposedPorts(word: string): string[] {
  const match = /^(?:(?:.*:)?([\d-]*):)?(\d+)(?:-(\d+))?(?:\/([A-Za-z]*))?$/.exec(word)
  const protocol = (match?.[4] || 'tcp').toLowerCase()
  if (!match || !['tcp', 'udp', 'sctp'].includes(protocol)) throw new Mistake(`invalid port: ${JSON.stringify(word)}`)
  const first = Number(match[2])
  const last = Number(match[3] ?? match[2])
  if (first > 65535 || last > 65535 || last < first) {
    throw new Mistake(`invalid containerPort: ${JSON.stringify(word)}`)
  }
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`)
}
