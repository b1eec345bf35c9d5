import { parseArgs } from 'node:util'

/** What the bench was asked for. */
export interface BenchOptions {
  readonly rounds: number
  /** Share of the sizes that bars are stated for. */
  readonly scale: number
  /** Names of rows, sections or series; all when there is none. */
  readonly only: readonly string[]
  readonly tools: readonly string[]
  readonly list: boolean
  readonly growth: boolean
  readonly check: boolean
  readonly write: boolean
  /** Measures on a machine that is not idle, too. */
  readonly busy: boolean
  readonly json?: string
}

export const USAGE = `usage: npm run bench -- [OPTIONS]
  --only NAMES   rows or sections, with commas between them: --only exec,'build again' or --only start (see --list)
  --tools NAMES  bale and whom to compare it with (bale,podman,docker,skopeo,trivy)
  --rounds N     how often each row is played (3); figures are medians
  --scale N      share of the full sizes (1)
  --growth       series of growing sizes, bale alone, in place of the comparison
  --list         show the rows with their bars, and do nothing
  --check        end with 1 when a bar is missed by more than a tenth
  --write        write the tables into docs/performance.md
  --json FILE    write all samples to a file
  --busy         let --check and --write go on while other programs use the processors`

/** Parses the command line. Throws an error whose message is for the user. */
export function parseOptions(args: readonly string[], tools: readonly string[]): BenchOptions {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ list: flag, growth: flag, check: flag, write: flag, busy: flag },
      only: { type: 'string', default: '' },
      tools: { type: 'string', default: tools.join(',') },
      rounds: { type: 'string', default: '3' },
      scale: { type: 'string', default: '1' },
      json: { type: 'string' },
    },
  })
  const rounds = number(values.rounds, '--rounds')
  if (!Number.isInteger(rounds)) throw new Error(`--rounds ${values.rounds} is not a whole number`)
  const names = words(values.tools)
  const unknown = names.filter((name) => !tools.includes(name))
  if (unknown.length > 0) throw new Error(`--tools: no tool ${unknown.join(', ')}; there are ${tools.join(', ')}`)
  if (values.write && values.only)
    throw new Error('--write needs all rows: the page would lose those that --only leaves out')
  if (!names.includes('bale')) throw new Error('--tools: bale must be one of them')
  return { ...values, rounds, scale: number(values.scale, '--scale'), only: words(values.only), tools: names }
}

/**
 * Those of a list that `only` names, all when it names none: by their own name, by that of their group, or by the first
 * word of their names. Throws for a name that nothing has.
 */
export function chosen<T extends { readonly name: string }>(
  only: readonly string[],
  groups: readonly { readonly name: string; readonly members: readonly T[] }[],
): T[] {
  const all = groups.flatMap(({ members }) => members)
  if (only.length === 0) return all
  const wanted = new Set<T>()
  for (const word of only) {
    const exact = all.filter(({ name }) => name === word)
    const group = groups.find(({ name }) => name === word)?.members ?? []
    const begun = all.filter(({ name }) => name.startsWith(`${word} `))
    const found = [exact, group, begun].find((some) => some.length > 0)
    if (!found)
      throw new Error(
        `--only: nothing is called '${word}'; there are ${all.map(({ name }) => name).join(', ')}, and the groups ${groups.map(({ name }) => name).join(', ')}`,
      )
    for (const one of found) wanted.add(one)
  }
  return all.filter((one) => wanted.has(one))
}

const words = (list: string): string[] =>
  list
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean)

function number(text: string, option: string): number {
  const value = Number(text)
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) throw new Error(`${option} ${text} is not a number above 0`)
  return value
}
