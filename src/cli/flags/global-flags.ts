import { flagNames, readFlags } from './flag-set.ts'
import type { VerbOption } from './verb-option.ts'

/** The flags before the verb. */
export interface GlobalFlags {
  root?: string
  run?: string
  snapshotter?: string
  runtime?: string
  config?: string
  debug: boolean
}

export const GLOBAL_FLAGS: readonly VerbOption[] = [
  { flags: '--root <DIR>', description: 'Store root (BALE_ROOT; /var/lib/bale for root)' },
  { flags: '--run <DIR>', description: 'Run directory for mounts and sockets (BALE_RUN)' },
  { flags: '--snapshotter <NAME>', description: 'How layers are stored: auto, erofs, extract (BALE_SNAPSHOTTER)' },
  { flags: '--runtime <NAME>', description: 'auto, runc, crun (BALE_RUNTIME)' },
  { flags: '--config <DIR>', description: "Directory of docker's config.json (DOCKER_CONFIG)" },
  { flags: '-D, --debug', description: 'Show causes and stack traces of errors, and diagnostics' },
  { flags: '-v, --version', description: 'Show the version' },
  { flags: '-h, --help', description: 'Print usage', hidden: true },
  { flags: '-l, --log-level <LEVEL>', description: "docker's; nothing is logged", hidden: true },
]

/** Takes the flags before the verb off a command line; `version` and `help` may replace a verb. Throws FlagError. */
export function takeGlobalFlags(argv: readonly string[]): {
  flags: GlobalFlags
  words: string[]
  asked: ReadonlySet<'version' | 'help'>
} {
  const { given, args: words } = readFlags(GLOBAL_FLAGS, argv, { stopAtArgument: true })
  const flags: GlobalFlags = { debug: false }
  const asked = new Set<'version' | 'help'>()
  for (const { flag, value } of given) {
    const name = flagNames(flag).long
    if (typeof value === 'string') Object.assign(flags, { [name]: value })
    else if (name === 'debug') flags.debug = value
    else if (value) asked.add(name as 'version' | 'help')
  }
  return { flags, words, asked }
}
