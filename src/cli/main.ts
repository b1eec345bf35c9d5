/** The command line's start. It loads as little as it can: the verb's own file, and the engine's frame. */
import type { GlobalFlags } from './flags/global-flags.ts'
import { say, written } from './terminal/output.ts'
import type { VerbEntry } from './verb-table.ts'

// As Node does for a program whose promise never settles: what ended without a verdict did not succeed.
process.exitCode = 13
void main(process.argv.slice(2)).then(async (code) => {
  await written()
  // At once: to take the heap apart piece by piece is a tenth of a short command's time, and the kernel does it as a whole.
  process.exit(code)
})

async function main(argv: string[]): Promise<number> {
  // What scripts ask most needs next to nothing.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) return printVersion()
  const [{ FlagError, NOT_UNDERSTOOD }, { takeGlobalFlags }] = await Promise.all([
    import('./flags/flag-set.ts'),
    import('./flags/global-flags.ts'),
  ])
  try {
    const { flags, words, asked } = takeGlobalFlags(argv)
    if (asked.has('version')) return printVersion()
    return await dispatch(asked.has('help') ? ['help', ...words] : words, flags)
  } catch (error) {
    if (!(error instanceof FlagError)) throw error
    say(`${error.message}\n\nUsage:  bale [GLOBAL OPTIONS] VERB\n\nRun 'bale --help' for more information\n`, 'stderr')
    return NOT_UNDERSTOOD
  }
}

async function printVersion(): Promise<number> {
  const { packageVersion } = await import('#engine/version')
  say(`bale version ${packageVersion()}\n`)
  return 0
}

async function dispatch(words: string[], globals: GlobalFlags): Promise<number> {
  const { VERBS } = await import('./verb-table.ts')
  const first = words[0]
  if (first === undefined || first === 'help') return help(words.slice(1), VERBS)
  const found = findVerb(words, VERBS)
  if (!found) return tellUnknown(words, VERBS)
  const { runVerb } = await import('./run-verb.ts')
  return runVerb(found.entry, found.rest, globals)
}

function findVerb(words: string[], verbs: readonly VerbEntry[]): { entry: VerbEntry; rest: string[] } | undefined {
  // The longest name wins: `registry user add` before `registry user`, `image ls` before `image`.
  for (let length = Math.min(3, words.length); length > 0; length--) {
    const name = words.slice(0, length).join(' ')
    const entry = verbs.find((one) => one.names.includes(name))
    if (entry) return { entry, rest: words.slice(length) }
  }
  return undefined
}

async function help(words: string[], verbs: readonly VerbEntry[]): Promise<number> {
  if (words.length === 0) {
    const { overviewHelp } = await import('./render-help.ts')
    say(`${overviewHelp()}\n`)
    return 0
  }
  const found = findVerb(words, verbs)
  if (!found) return tellUnknown(words, verbs)
  const { verbHelp } = await import('./render-help.ts')
  say(`${verbHelp((await found.entry.load()).verb)}\n`)
  return 0
}

async function tellUnknown(words: string[], verbs: readonly VerbEntry[]): Promise<number> {
  const { unknownVerb } = await import('./unknown-verb.ts')
  const { text, asked } = unknownVerb(words, verbs)
  say(text, asked ? 'stdout' : 'stderr')
  return asked ? 0 : 1
}
