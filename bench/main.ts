/** Times what bale does, side by side with its peers in one run, and holds the figures against bars: see `USAGE`. */
import { barText } from './bars.ts'
import { compare, type Outcome } from './compare.ts'
import { describeMachine, otherLoad } from './machine.ts'
import { type BenchOptions, chosen, parseOptions, USAGE } from './options.ts'
import { writePart } from './page.ts'
import { interruptible } from './place.ts'
import { SECTIONS } from './rows/index.ts'
import { TOOLS } from './tools/index.ts'

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(USAGE)
    return 0
  }
  try {
    const options = parseOptions(args, [...TOOLS.keys()])
    return await (options.growth ? growth(options) : comparison(options))
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : error}`)
    return 2
  }
}

async function comparison(options: BenchOptions): Promise<number> {
  const rows = chosen(
    options.only,
    SECTIONS.map(({ name, rows }) => ({ name, members: rows })),
  )
  if (options.list) {
    for (const { name, rows: members } of SECTIONS) {
      console.log(`${name}:`)
      for (const row of members.filter((one) => rows.includes(one))) {
        const bars = (row.bars ?? []).map((bar) => barText(bar)).join('; ')
        console.log(`  ${row.name.padEnd(18)} ${bars.padEnd(36)} ${row.does}`)
      }
    }
    return 0
  }
  const { machine, idle, signal } = await begin(options)
  const outcome = await compare(SECTIONS, rows, machine, options, signal)
  return finish(outcome, 'tables', `${machine.text}; ${idle}.`, options)
}

async function growth(options: BenchOptions): Promise<number> {
  const { SERIES, listSeries } = await import('./growth/index.ts')
  const series = chosen(options.only, [{ name: 'growth', members: SERIES }])
  if (options.list) {
    console.log(listSeries(series))
    return 0
  }
  const { grow } = await import('./growth/grow.ts')
  const { machine, idle, signal } = await begin(options)
  const outcome = await grow(series, machine, options, signal)
  return finish(outcome, 'growth', `${machine.text}; ${idle}.`, options)
}

async function begin({ check, write, busy }: BenchOptions) {
  const signal = interruptible()
  const load = await otherLoad()
  console.log([load.text, ...(load.busy ? load.users : [])].join('; '))
  if (load.busy && (check || write) && !busy)
    throw new Error('--check and --write need an idle machine; --busy goes on all the same, and says so in the page')
  return { machine: await describeMachine(signal), idle: load.text, signal }
}

function finish(outcome: Outcome, part: 'tables' | 'growth', heading: string, { check, write }: BenchOptions): number {
  console.log(`\n${outcome.text}\n`)
  if (write) writePart(part, `${heading}\n\n${outcome.text}`)
  for (const [what, lines] of [
    ['Bars that could not be judged', outcome.notJudged],
    ['Bars that are missed by more than a tenth', outcome.missed],
  ] as const)
    if (lines.length > 0) console.log(`${what}:\n${lines.join('\n')}\n`)
  if (outcome.ownFailure) console.log('bale itself failed in a row: see above.')
  return outcome.ownFailure || (check && outcome.missed.length > 0) ? 1 : 0
}
