import { Command, CommanderError, Option } from 'commander'
import { BaleError } from '#base'
import type { Verb, VerbOption } from './verb.ts'

/** A mistake on the command line; docker prints it with "See 'docker VERB --help'." */
export class UsageError extends Error {
  readonly exitCode: number
  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Thrown when --help was asked for; the text is for stdout. */
export class HelpWanted extends Error {}

export function parseArguments(
  verb: Verb,
  argv: readonly string[],
): { args: string[]; options: Record<string, unknown> } {
  const command = new Command(verb.name)
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .helpOption(false)
    .allowExcessArguments(true)
    .argument('[arguments...]')
  if (verb.passThrough) command.enablePositionalOptions().passThroughOptions()
  for (const option of verb.options) command.addOption(commanderOption(option))
  const denied = new Set<string>()
  const words = normaliseFlags(verb, argv, denied)
  if (wantsHelp(verb, words)) throw new HelpWanted()
  try {
    command.parse(words, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) throw new UsageError(describe(error, verb, words), 125)
    throw error
  }
  const options: Record<string, unknown> = command.opts()
  for (const option of verb.options) {
    const name = commanderOption(option).attributeName()
    if (option.flags.split(/[ ,]+/).some((flag) => denied.has(flag))) options[name] = false
    if (option.refused !== undefined && command.getOptionValueSource(name) === 'cli') {
      throw new BaleError('UNSUPPORTED', `the flag ${longName(option)} is not supported: ${option.refused}`)
    }
  }
  const args = command.args
  const { min = 0, max = Number.POSITIVE_INFINITY } = verb.arguments ?? {}
  if (args.length < min || args.length > max) throw new UsageError(argumentCount(verb, min, max), 1)
  return { args, options }
}

function commanderOption(option: VerbOption): Option {
  const result = new Option(option.flags, option.description)
  if (option.default !== undefined) result.default(option.default)
  if (option.choices) result.choices([...option.choices])
  if (option.repeat) {
    result.argParser((value: string, previous: string[] | undefined) =>
      // The default must not be mixed with what the user gave.
      previous === undefined || previous === option.default ? [value] : [...previous, value],
    )
  }
  return result
}

function longName(option: VerbOption): string {
  return /--[a-z0-9-]+/.exec(option.flags)?.[0] ?? option.flags
}

/**
 * docker takes `--rm=true`, `--rm=false` and `-i=true` for flags without value; commander does not. The value forms are
 * turned into the flag or remembered as denied, for known boolean flags only, and not behind the first argument of run and exec.
 */
function normaliseFlags(verb: Verb, argv: readonly string[], denied: Set<string>): string[] {
  const booleans = new Set<string>()
  const valued = new Set<string>()
  for (const option of verb.options) {
    const names = option.flags.match(/(?:^|\s|,)(--?[A-Za-z0-9-]+)/g)?.map((name) => name.replace(/^[\s,]+/, '')) ?? []
    for (const name of names) (/[<[]/.test(option.flags) ? valued : booleans).add(name)
  }
  const result: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!
    if (word === '--') return [...result, ...argv.slice(index)]
    if (!word.startsWith('-') || word === '-') {
      if (verb.passThrough) return [...result, ...argv.slice(index)]
      result.push(word)
      continue
    }
    const match = /^(--?[A-Za-z0-9-]+)=(.*)$/s.exec(word)
    if (match && booleans.has(match[1]!)) {
      if (/^(true|1|t|T|TRUE|True)$/.test(match[2]!)) result.push(match[1]!)
      else if (/^(false|0|f|F|FALSE|False)$/.test(match[2]!)) denied.add(match[1]!)
      else {
        throw new UsageError(`invalid argument "${match[2]}" for "${match[1]}" flag: not true or false`, 125)
      }
      continue
    }
    result.push(word)
    // A separate value must not be taken for an argument.
    const takesNext =
      valued.has(word) && !/\[/.test(verb.options.find((one) => one.flags.split(/[ ,]+/).includes(word))?.flags ?? '')
    if (takesNext && index + 1 < argv.length) result.push(argv[++index]!)
    else if (/^-[A-Za-z]{2,}$/.test(word) && valued.has(`-${word.at(-1)}`)) {
      // `-itv value`: a cluster that ends in a flag with value, all before it without.
      const before = [...word.slice(1, -1)].every((letter) => booleans.has(`-${letter}`))
      if (before && index + 1 < argv.length) result.push(argv[++index]!)
    }
  }
  return result
}

function wantsHelp(verb: Verb, words: readonly string[]): boolean {
  const own = new Set(verb.options.flatMap((option) => option.flags.split(/[ ,|]+/)))
  for (const word of words) {
    if (word === '--' || (verb.passThrough && !word.startsWith('-'))) return false
    if (word === '--help' || (word === '-h' && !own.has('-h'))) return true
  }
  return false
}

function describe(error: CommanderError, verb: Verb, words: readonly string[]): string {
  const flag = /'([^']*)'/.exec(error.message)?.[1] ?? ''
  switch (error.code) {
    case 'commander.unknownOption': {
      const near = /Did you mean (.*)\?/.exec(error.message)?.[1]
      const words = flag.startsWith('--')
        ? `unknown flag: ${flag.split('=')[0]}`
        : `unknown shorthand flag: '${flag[1] ?? ''}' in ${flag}`
      return near ? `${words} (did you mean ${near}?)` : words
    }
    case 'commander.optionMissingArgument': {
      const last = /^-([A-Za-z]+)$/.exec(words.at(-1) ?? '')?.[1]
      if (last) return `flag needs an argument: '${last.at(-1)}' in -${last}`
      return `flag needs an argument: ${flag.match(/--[a-z0-9-]+/)?.[0] ?? flag}`
    }
    default:
      return `bale ${verb.name}: ${error.message.replace(/^error: /, '')}`
  }
}

function argumentCount(verb: Verb, min: number, max: number): string {
  const plural = (count: number) => `${count} argument${count === 1 ? '' : 's'}`
  if (max === 0) return `"bale ${verb.name}" accepts no arguments.`
  if (min === max) return `"bale ${verb.name}" requires exactly ${plural(min)}.`
  if (max === Number.POSITIVE_INFINITY) return `"bale ${verb.name}" requires at least ${plural(min)}.`
  if (min === 0) return `"bale ${verb.name}" requires at most ${plural(max)}.`
  return `"bale ${verb.name}" requires at least ${min} and at most ${plural(max)}.`
}
