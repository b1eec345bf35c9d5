import { parseDuration } from '#docker'
import type { Healthcheck } from '#spec'
import { type FlagReader, type Instruction, readFlags } from '../dockerfile/index.ts'
import { goHealthcheck } from './go-format.ts'
import { required, wrong } from './grammar.ts'
import type { InstructionType } from './instruction-type.ts'
import { withConfig } from './stage-state.ts'

export interface HealthcheckCommand {
  kind: 'HEALTHCHECK'
  instruction: Instruction
  healthcheck: Healthcheck
}

/** Nanoseconds. */
const SMALLEST_INTERVAL = 1_000_000

export const healthcheck: InstructionType<HealthcheckCommand> = {
  parse(instruction) {
    const match = /^(\S+)\s*([\s\S]*)$/.exec(required(instruction))!
    const type = match[1]!.toUpperCase()
    const flags = readFlags(instruction)
    if (type === 'NONE') {
      flags.finish()
      if (match[2] !== '') throw wrong(instruction, 'HEALTHCHECK NONE takes no arguments')
      return { kind: 'HEALTHCHECK', instruction, healthcheck: { Test: ['NONE'] } }
    }
    const times = {
      Interval: interval(instruction, flags, 'interval'),
      Timeout: interval(instruction, flags, 'timeout'),
      StartPeriod: interval(instruction, flags, 'start-period'),
      StartInterval: interval(instruction, flags, 'start-interval'),
    }
    const retries = flags.text('retries')
    flags.finish()
    if (type !== 'CMD') throw wrong(instruction, `unknown type ${JSON.stringify(match[1])} in HEALTHCHECK (try CMD)`)
    if (match[2] === '' || instruction.json?.length === 0)
      throw wrong(instruction, 'missing command after HEALTHCHECK CMD')
    if (retries !== undefined && !/^\d{1,9}$/.test(retries)) {
      throw wrong(instruction, `--retries must be 0 or greater, not ${JSON.stringify(retries)}`)
    }
    const Test = instruction.json ? ['CMD', ...instruction.json] : ['CMD-SHELL', match[2]!]
    const set = Object.entries({ ...times, Retries: Number(retries ?? 0) || undefined }).filter(([, value]) => value)
    return { kind: 'HEALTHCHECK', instruction, healthcheck: { Test, ...Object.fromEntries(set) } }
  },
  plan: (command, { state }) => ({
    state: withConfig(state, { Healthcheck: command.healthcheck }),
    createdBy: `HEALTHCHECK ${goHealthcheck(command.healthcheck)}`,
  }),
}

/** Undefined: not given, or 0, which means the default. */
function interval(instruction: Instruction, flags: FlagReader, name: string): number | undefined {
  const text = flags.text(name)
  if (!text) return undefined
  const value = parseDuration(text)
  if (value === undefined) {
    throw wrong(instruction, `--${name}: invalid duration ${JSON.stringify(text)}`, {
      hint: 'write 30s, 1m30s or 500ms',
    })
  }
  if (value !== 0 && value < SMALLEST_INTERVAL) throw wrong(instruction, `--${name} cannot be less than 1ms`)
  return value || undefined
}
