import type { Verb } from './verb.ts'
import { VERBS } from './verb-table.ts'

/** `bale --help`: the verbs by group. */
export function overviewHelp(): string {
  const lines = [
    'Usage:  bale [GLOBAL OPTIONS] VERB [OPTIONS] [ARGUMENTS]',
    '',
    'Makes, runs, keeps, moves and serves container images. No daemon.',
    '',
  ]
  const width = Math.max(...VERBS.map((verb) => verb.names[0].length)) + 2
  for (const group of ['Images', 'Containers', 'Registries', 'Networks and volumes', 'System'] as const) {
    const verbs = VERBS.filter((verb) => verb.group === group)
    if (verbs.length === 0) continue
    lines.push(`${group}:`, ...verbs.map((verb) => `  ${verb.names[0].padEnd(width)}${verb.summary}`), '')
  }
  lines.push(
    'Global options:',
    '  --root DIR            Store root (BALE_ROOT; /var/lib/bale for root)',
    '  --run DIR             Run directory for mounts and sockets (BALE_RUN)',
    '  --snapshotter NAME    How layers lie on disk: auto, erofs, extract (BALE_SNAPSHOTTER)',
    '  --runtime NAME        auto, runc, crun (BALE_RUNTIME)',
    "  --config DIR          Folder of docker's config.json (DOCKER_CONFIG)",
    '  -D, --debug           Show causes and stack traces of errors, and diagnostics',
    '  -v, --version         Show the version',
    '',
    "Run 'bale VERB --help' for options and examples of a verb.",
  )
  return lines.join('\n')
}

/** `bale NOUN` without a verb: what there is below it. */
export function nounHelp(noun: string): string {
  const verbs = VERBS.flatMap((verb) =>
    verb.names.filter((name) => name.startsWith(`${noun} `)).map((name) => ({ name, summary: verb.summary })),
  )
  const width = Math.max(...verbs.map((verb) => verb.name.length)) + 2
  return [`Usage:  bale ${noun} VERB`, '', 'Verbs:', ...verbs.map((v) => `  ${v.name.padEnd(width)}${v.summary}`)].join(
    '\n',
  )
}

export function verbHelp(verb: Verb): string {
  const shown = verb.options.filter((option) => !option.hidden && option.refused === undefined)
  const lines = [
    `Usage:  bale ${verb.name}${shown.length ? ' [OPTIONS]' : ''}${verb.usage ? ` ${verb.usage}` : ''}`,
    '',
    verb.summary,
  ]
  const aliases = VERBS.find((entry) => entry.names[0] === verb.name)?.names ?? []
  if (aliases.length > 1) lines.push('', 'Aliases:', `  ${aliases.map((name) => `bale ${name}`).join(', ')}`)
  if (shown.length) {
    const width = Math.min(34, Math.max(...shown.map((option) => alignFlags(option.flags).length)) + 2)
    lines.push('', 'Options:')
    for (const option of shown) {
      const flags = alignFlags(option.flags)
      const extra = [
        option.choices ? ` (${option.choices.join('|')})` : '',
        option.default === undefined ||
        option.default === false ||
        option.default === '' ||
        Array.isArray(option.default)
          ? ''
          : ` (default ${option.default})`,
      ].join('')
      const text = `${option.description}${extra}`
      lines.push(
        flags.length + 2 > width ? `  ${flags}\n  ${' '.repeat(width)}${text}` : `  ${flags.padEnd(width)}${text}`,
      )
    }
  }
  lines.push('', 'Examples:')
  for (const example of verb.examples) lines.push(`  # ${example.explains}`, `  ${example.command}`, '')
  return lines.join('\n').trimEnd()
}

function alignFlags(flags: string): string {
  return flags.startsWith('--') ? `    ${flags}` : flags
}
