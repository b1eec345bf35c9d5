import { BaleError, nearest } from '#base'
import {
  FlagError,
  flagNames,
  type Given,
  NOT_UNDERSTOOD,
  optionName,
  quotedName,
  readFlags,
  UnknownFlagError,
} from '../flags/flag-set.ts'
import type { OptionsOf, VerbOption } from '../flags/verb-option.ts'
import type { Verb } from './verb.ts'

/** A mistake on the command line: run-verb adds the usage line and where to read more. */
export class UsageError extends Error {
  readonly exitCode: number
  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Thrown for --help; the text is for stdout. */
export class HelpWanted extends Error {}

interface ParsedArguments<Table extends readonly VerbOption[]> {
  args: string[]
  options: OptionsOf<Table>
}

/** Parses the arguments of a verb. Throws UsageError, HelpWanted, and UNSUPPORTED for a flag of docker's that bale does not have. */
export function parseArguments<Table extends readonly VerbOption[]>(
  verb: Verb<Table>,
  argv: readonly string[],
): ParsedArguments<Table> {
  const help = helpOption(verb)
  const { given, args } = readWords(verb, [...verb.options, help], argv)
  if (given.findLast(({ flag }) => flag === help)?.value === true) throw new HelpWanted()
  for (const one of given) {
    refuse(one)
    checkChoice(one)
  }
  const { min = 0, max = Number.POSITIVE_INFINITY } = verb.arguments ?? {}
  if (args.length < min || args.length > max) throw new UsageError(argumentCount(verb, min, max), 1)
  return { args, options: collect(verb.options, given) }
}

function helpOption(verb: Verb): VerbOption {
  const isTaken = verb.options.some((option) => flagNames(option).short === 'h')
  return { flags: isTaken ? '--help' : '-h, --help', description: 'Print usage' }
}

function readWords(verb: Verb, flags: readonly VerbOption[], argv: readonly string[]) {
  try {
    return readFlags(flags, argv, { stopAtArgument: verb.passThrough ?? false })
  } catch (error) {
    if (!(error instanceof FlagError)) throw error
    const meant = error instanceof UnknownFlagError ? nearest(error.flag, error.known) : undefined
    const message = meant === undefined ? error.message : `${error.message} (did you mean --${meant}?)`
    throw new UsageError(message, NOT_UNDERSTOOD)
  }
}

/** A switch that is turned off, and a value that requests the default, need not be refused. */
function refuse({ flag, value }: Given<VerbOption>): void {
  if (flag.refused === undefined || value === false || value === '') return
  if (typeof value === 'string' && flag.harmless?.test(value)) return
  throw new BaleError('UNSUPPORTED', `the flag --${flagNames(flag).long} is not supported: ${flag.refused}`)
}

function checkChoice({ flag, value }: Given<VerbOption>): void {
  if (flag.choices === undefined || value === '' || flag.choices.includes(String(value))) return
  const words = `must be one of ${flag.choices.join(', ')}`
  throw new UsageError(
    `invalid argument ${JSON.stringify(value)} for ${quotedName(flag)} flag: ${words}`,
    NOT_UNDERSTOOD,
  )
}

/** The options in the shape of `OptionsOf` the table. */
function collect<Table extends readonly VerbOption[]>(
  table: Table,
  given: readonly Given<VerbOption>[],
): OptionsOf<Table> {
  const options: Record<string, unknown> = {}
  for (const option of table) if (option.default !== undefined) options[optionName(option)] = option.default
  const defaults = { ...options }
  const lists = new Map<string, (string | boolean)[]>()
  for (const { flag, value } of given) {
    const name = optionName(flag)
    if (isBlank(flag, value)) options[name] = defaults[name]
    else if (!flag.repeat) options[name] = value
    // The default must not be mixed with what the user gave.
    else options[name] = lists.set(name, [...(lists.get(name) ?? []), value]).get(name)
  }
  return options as OptionsOf<Table>
}

/** `--name "$NAME"` without a name says nothing, as to docker. In a list every value counts. */
function isBlank(flag: VerbOption, value: string | boolean): boolean {
  return value === '' && !flag.repeat && !flag.emptyCounts
}

function argumentCount(verb: Verb, min: number, max: number): string {
  const plural = (count: number) => `${count} argument${count === 1 ? '' : 's'}`
  const subject = `bale: 'bale ${verb.name}'`
  if (max === 0) return `${subject} accepts no arguments`
  if (min === max) return `${subject} requires ${plural(min)}`
  if (max === Number.POSITIVE_INFINITY) return `${subject} requires at least ${plural(min)}`
  if (min === 0) return `${subject} requires at most ${plural(max)}`
  return `${subject} requires at least ${min} and at most ${plural(max)}`
}
