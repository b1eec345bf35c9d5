import { GLOBAL_FLAGS } from './flags/global-flags.ts'
import type { VerbOption } from './flags/verb-option.ts'
import type { Verb } from './verb/verb.ts'
import { VERBS } from './verb-table.ts'

/** Terminals are at least this wide; the reference pages and the tests need the same lines everywhere. */
const COLUMNS = 80

/** A term and its text in two columns; long text continues in its column, or starts on the next line when the term is too long. */
function row(term: string, width: number, text: string): string[] {
  const indent = ' '.repeat(width + 2)
  const [first = '', ...rest] = wrap(text, COLUMNS - indent.length)
  const further = rest.map((line) => indent + line)
  if (term.length + 2 > width) return [`  ${term}`, indent + first, ...further]
  return [`  ${term.padEnd(width)}${first}`, ...further]
}

/** Breaks at blanks; a word that is longer than a line stays whole. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** `bale --help`: the verbs by group. */
export function overviewHelp(): string {
  const lines = [
    'Usage:  bale [GLOBAL OPTIONS] VERB [OPTIONS] [ARGUMENTS]',
    '',
    'Builds, runs, stores, copies and serves container images, without a daemon.',
    '',
  ]
  const width = Math.max(...VERBS.map((verb) => verb.names[0].length)) + 2
  for (const group of ['Images', 'Trust', 'Containers', 'Registries', 'Networks and volumes', 'System'] as const) {
    const verbs = VERBS.filter((verb) => verb.group === group && !verb.internal)
    if (verbs.length === 0) continue
    lines.push(`${group}:`, ...verbs.flatMap((verb) => row(verb.names[0], width, verb.summary)), '')
  }
  lines.push(
    'Global options:',
    ...GLOBAL_FLAGS.filter(({ hidden }) => !hidden).flatMap(({ flags, description }) => row(flags, width, description)),
    '',
    "Run 'bale VERB --help' for options and examples of a verb.",
  )
  return lines.join('\n')
}

/** `bale NOUN` without a verb: the verbs below it. */
export function nounHelp(noun: string): string {
  const verbs = VERBS.filter((verb) => !verb.internal).flatMap((verb) =>
    verb.names.filter((name) => name.startsWith(`${noun} `)).map((name) => ({ name, summary: verb.summary })),
  )
  const width = Math.max(...verbs.map((verb) => verb.name.length)) + 2
  return [`Usage:  bale ${noun} VERB`, '', 'Verbs:', ...verbs.flatMap((v) => row(v.name, width, v.summary))].join('\n')
}

/** `Usage:  bale run [OPTIONS] IMAGE [COMMAND] [ARG...]` */
export function usageLine(verb: Verb): string {
  return `Usage:  bale ${verb.name}${shownOptions(verb).length ? ' [OPTIONS]' : ''}${verb.usage ? ` ${verb.usage}` : ''}`
}

function shownOptions(verb: Verb): VerbOption[] {
  return verb.options.filter((option) => !option.hidden && option.refused === undefined)
}

export function verbHelp(verb: Verb): string {
  const shown = shownOptions(verb)
  const lines = [usageLine(verb), '', ...wrap(verb.summary, COLUMNS)]
  const aliases = VERBS.find((entry) => entry.names[0] === verb.name)?.names ?? []
  if (aliases.length > 1)
    lines.push(
      '',
      'Aliases:',
      ...wrap(aliases.map((name) => `bale ${name}`).join(', '), COLUMNS - 2).map((line) => `  ${line}`),
    )
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
      lines.push(...row(flags, width, text))
    }
  }
  lines.push('', 'Examples:')
  for (const example of verb.examples) lines.push(`  # ${example.explains}`, `  ${example.command}`, '')
  return lines.join('\n').trimEnd()
}

function alignFlags(flags: string): string {
  return flags.startsWith('--') ? `    ${flags}` : flags
}
