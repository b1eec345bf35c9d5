import { nearest } from '#base'
import type { Flag, Instruction } from './instruction.ts'
import { positionIn } from './logical-line.ts'
import { dockerfileError } from './source.ts'

/** Reads the flags of one instruction; `finish` refuses those that were not read. */
export interface FlagReader {
  text(name: string): string | undefined
  list(name: string): string[]
  boolean(name: string): boolean | undefined
  /** Known but not supported in this version: refused by name. */
  unsupported(name: string, hint: string): void
  finish(): void
}

export function readFlags(instruction: Instruction): FlagReader {
  const known = new Set<string>()
  const fail = (flag: Flag, message: string, hint?: string) =>
    dockerfileError(instruction.source, positionIn(instruction.line, flag.offset), message, { hint })

  const take = (name: string): Flag[] => {
    known.add(name)
    return instruction.flags.filter((flag) => flag.name === name)
  }
  const one = (name: string): Flag | undefined => {
    const [first, second] = take(name)
    if (second) throw fail(second, `duplicate flag --${name}`)
    return first
  }
  const given = (flag: Flag): string => {
    if (flag.value === undefined) throw fail(flag, `missing a value on flag --${flag.name}`)
    return flag.value
  }
  return {
    text(name) {
      const flag = one(name)
      return flag && given(flag)
    },
    list: (name) => take(name).map(given),
    boolean(name) {
      const flag = one(name)
      if (!flag) return undefined
      const value = (flag.value ?? 'true').toLowerCase()
      if (value !== 'true' && value !== 'false') throw fail(flag, `--${name} expects true or false, not ${flag.value}`)
      return value === 'true'
    },
    unsupported(name, hint) {
      const flag = take(name)[0]
      if (flag) throw fail(flag, `${instruction.keyword} --${name} is not supported yet`, hint)
    },
    finish() {
      const stranger = instruction.flags.find((flag) => !known.has(flag.name))
      if (!stranger) return
      const meant = nearest(stranger.name, [...known])
      const hint = meant
        ? `did you mean --${meant}?`
        : known.size > 0
          ? `${instruction.keyword} has ${[...known].map((name) => `--${name}`).join(' ')}`
          : `${instruction.keyword} has no flags`
      throw fail(stranger, `unknown flag --${stranger.name}`, hint)
    },
  }
}
