import { readBoolean } from '#docker'

/**
 * The rules of docker's command line, which are those of Go's pflag: `--flag=x`, `--flag x`, `--switch`, `--switch=false`, clusters
 * (`-it`, `-itv x`, `-vx`, `-v=x`), `--`. Whether a flag takes a value is written in its notation: `-e, --env <KEY=VALUE>` does.
 */

/** The part of a flag that the rules need. */
export interface Flag {
  /** `-e, --env <KEY=VALUE>` takes a value, `-i, --interactive` is a switch. */
  flags: string
  /** Additional long names, not shown in help: `net` beside `--network`. */
  aliases?: readonly string[]
  /** Throws an Error with docker's complaint about a value. */
  check?(value: string): unknown
}

/** One flag as it was given; the value of a switch is a boolean. */
export interface Given<F extends Flag> {
  flag: F
  value: string | boolean
}

interface FlagWords<F extends Flag> {
  given: Given<F>[]
  args: string[]
}

interface FlagNames {
  short: string | undefined
  long: string
  takesValue: boolean
}

/** docker's exit code for a command line that is not understood. */
export const NOT_UNDERSTOOD = 125

/** A command line error, with docker's text. */
export class FlagError extends Error {}

const NOTATION = /^(?:-([A-Za-z0-9]), )?--([a-z0-9][a-z0-9-]*)( <.+>)?$/

export function flagNames(flag: Flag): FlagNames {
  const match = NOTATION.exec(flag.flags)
  if (!match) throw new TypeError(`not the notation of a flag: ${flag.flags}`)
  return { short: match[1], long: match[2]!, takesValue: match[3] !== undefined }
}

/** The member of a verb's options that a flag sets: `--no-cache` is `noCache`. */
export function optionName(flag: Flag): string {
  return flagNames(flag).long.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** `"-e, --env"`, as docker names a flag whose value is wrong. */
export function quotedName(flag: Flag): string {
  const { short, long } = flagNames(flag)
  return short === undefined ? `"--${long}"` : `"-${short}, --${long}"`
}

interface FlagRules {
  /** Everything after the first argument is an argument: `run IMAGE ls -l`. */
  stopAtArgument?: boolean
}

/** Parses a command line. Throws FlagError. The flags come in the order given; a list keeps all, otherwise the last one counts. */
export function readFlags<F extends Flag>(
  flags: readonly F[],
  argv: readonly string[],
  { stopAtArgument = false }: FlagRules = {},
): FlagWords<F> {
  const reader = new FlagReader(flags, argv)
  const args: string[] = []
  for (let word = reader.next(); word !== undefined; word = reader.next()) {
    if (word === '--') return { given: reader.given, args: [...args, ...reader.rest()] }
    if (!word.startsWith('-') || word === '-') {
      args.push(word)
      if (stopAtArgument) return { given: reader.given, args: [...args, ...reader.rest()] }
    } else if (word.startsWith('--')) reader.long(word)
    else reader.cluster(word.slice(1))
  }
  return { given: reader.given, args }
}

class FlagReader<F extends Flag> {
  readonly given: Given<F>[] = []
  readonly #longs = new Map<string, F>()
  readonly #shorts = new Map<string, F>()
  readonly #argv: readonly string[]
  #at = 0

  constructor(flags: readonly F[], argv: readonly string[]) {
    this.#argv = argv
    for (const flag of flags) {
      const { short, long } = flagNames(flag)
      for (const name of [long, ...(flag.aliases ?? [])]) this.#longs.set(name, flag)
      if (short !== undefined) this.#shorts.set(short, flag)
    }
  }

  next(): string | undefined {
    return this.#argv[this.#at++]
  }

  rest(): readonly string[] {
    return this.#argv.slice(this.#at)
  }

  /** `--name`, `--name=value`, `--name value` */
  long(word: string): void {
    const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
    if (name === '' || name.startsWith('-')) throw new FlagError(`bad flag syntax: ${word}`)
    const flag = this.#longs.get(name)
    if (!flag) throw new UnknownFlagError(`unknown flag: --${name}`, name, [...this.#longs.keys()])
    if (value !== undefined || !flagNames(flag).takesValue) this.#set(flag, value ?? 'true')
    else this.#set(flag, this.#following(`flag needs an argument: --${name}`))
  }

  /** What follows a single dash: `it`, `itv` with the next word as its value, `vx`, `v=x`. */
  cluster(letters: string): void {
    let rest = letters
    while (rest !== '') {
      const letter = String.fromCodePoint(rest.codePointAt(0)!)
      const flag = this.#shorts.get(letter)
      if (!flag) throw new FlagError(`unknown shorthand flag: '${letter}' in -${rest}`)
      const behind = rest.slice(letter.length)
      // A lone `=` is a value of its own: pflag drops it only before other characters.
      const assigned = behind.length > 1 && behind.startsWith('=')
      if (assigned) this.#set(flag, behind.slice(1))
      else if (!flagNames(flag).takesValue) this.#set(flag, 'true')
      else this.#set(flag, behind || this.#following(`flag needs an argument: '${letter}' in -${rest}`))
      rest = assigned || flagNames(flag).takesValue ? '' : behind
    }
  }

  #following(otherwise: string): string {
    const value = this.next()
    if (value === undefined) throw new FlagError(otherwise)
    return value
  }

  #set(flag: F, text: string): void {
    try {
      const value = flagNames(flag).takesValue ? text : readBoolean(text)
      if (typeof value === 'string') flag.check?.(value)
      this.given.push({ flag, value })
    } catch (cause) {
      const problem = (cause as Error).message
      throw new FlagError(`invalid argument ${JSON.stringify(text)} for ${quotedName(flag)} flag: ${problem}`, {
        cause,
      })
    }
  }
}

/** Lists the existing names, for a suggestion. */
export class UnknownFlagError extends FlagError {
  readonly flag: string
  readonly known: readonly string[]
  constructor(message: string, flag: string, known: readonly string[]) {
    super(message)
    this.flag = flag
    this.known = known
  }
}
