import type { Engine } from '#engine'
import type { OptionsOf, VerbOption } from '../flags/verb-option.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** What a verb gets to work with. */
export interface VerbContext<Options> {
  args: string[]
  options: Options
  engine: Engine
  io: Terminal
  /** docker's config.json, for the templates of lists. */
  dockerConfigFile?: string
  /** Aborted by the first Ctrl-C, SIGTERM or SIGHUP, and when the reader of our output is gone. */
  signal: AbortSignal
  /** From now on the verb (run, attach, exec) handles signals itself, and nothing is to be undone. */
  takeSignals(): void
  /** From now on SIGHUP is no reason to end, but calls this: a server reads its files again. To be called once. */
  onHangup(act: () => void): void
}

/** A verb of the command line: one file, one object. It parses and prints; the engine acts. */
export interface Verb<Table extends readonly VerbOption[] = readonly VerbOption[]> {
  /** `pull`, or `system df` for a verb below a noun. */
  name: string
  summary: string
  /** What follows the options in the usage line: `NAME[:TAG|@DIGEST]`. */
  usage?: string
  /** Minimum and maximum number of arguments. */
  arguments?: { min?: number; max?: number }
  /** Everything after the first argument belongs to the argument (run, exec): `bale run IMAGE ls -l`. */
  passThrough?: boolean
  /** Exit code for failures of bale itself: 1 by default, docker's 125 for `run`. */
  failureCode?: number
  /** Exit code for a single failure, where docker's depends on it; undefined is `failureCode`. */
  failureCodeOf?(error: unknown): number | undefined
  options: Table
  /** Standard output may be data, not text: a reader that goes away before the end is a failure (141, as by SIGPIPE). */
  writesData?: boolean
  /** Command lines with an explanation; shown by --help, run by the tests. */
  examples: readonly { command: string; explains: string }[]
  /** Returns the exit code, 0 when nothing. */
  run(context: VerbContext<OptionsOf<Table>>): Promise<number | undefined>
}

/** The options that `run` reads have their types from the flags of the verb. */
export function defineVerb<const Table extends readonly VerbOption[]>(verb: Verb<Table>): Verb<Table> {
  return verb
}
