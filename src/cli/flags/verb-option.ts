import type { Flag } from './flag-set.ts'

/** One flag of a verb. */
export interface VerbOption extends Flag {
  description: string
  /** May be given several times; the value is an array. */
  repeat?: boolean
  /** An empty value means something; of other flags that do not repeat it counts as not given. */
  emptyCounts?: true
  default?: string | boolean | readonly string[]
  /** Shown in help; every other value is refused. */
  choices?: readonly string[]
  /** Not shown in help (accepted for compatibility). */
  hidden?: boolean
  /** A flag that docker has and bale does not: it is refused with this reason. */
  refused?: string
  /** Values of a refused flag that request the default: `--provenance false`. */
  harmless?: RegExp
}

/**
 * The options that a verb reads, from its flags: `-a, --all` is `all?: boolean`, `--no-trunc <N>` is `noTrunc?: string`,
 * one that repeats is a list, one with a default is always present. Refused flags are not among them. A flag
 * whose notation is not known to the compiler gives no option, so that reading it is an error.
 */
export type OptionsOf<Table extends readonly VerbOption[]> = Members<Exclude<Table[number], { refused: string }>>

type Members<Option extends VerbOption> = {
  [Flags in Exclude<Option, WithDefault>['flags'] as MemberName<Flags>]?: ValueOf<Extract<Option, { flags: Flags }>>
} & {
  [Flags in Extract<Option, WithDefault>['flags'] as MemberName<Flags>]: ValueOf<Extract<Option, { flags: Flags }>>
}

interface WithDefault {
  default: string | boolean | readonly string[]
}

type MemberName<Flags extends string> = string extends Flags
  ? never
  : Flags extends `${string}--${infer Notation}`
    ? CamelCase<Notation extends `${infer Name} <${string}` ? Name : Notation>
    : never

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name

type ValueOf<Option extends VerbOption> = Option extends { repeat: true } ? OneValue<Option>[] : OneValue<Option>

type OneValue<Option extends VerbOption> = Option['flags'] extends `${string} <${string}>`
  ? Option extends { choices: readonly (infer Choice)[] }
    ? Choice
    : string
  : boolean
