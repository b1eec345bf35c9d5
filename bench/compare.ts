import { writeFileSync } from 'node:fs'
import type { Verdict } from './bars.ts'
import { type Machine, slownessText } from './machine.ts'
import type { BenchOptions } from './options.ts'
import { startPeerRegistry } from './peer-registry.ts'
import { benchDirectory } from './place.ts'
import { play } from './play.ts'
import { prepareBench } from './prepare.ts'
import { Results } from './results.ts'
import type { Row, Section } from './row.ts'
import { playOrder } from './rows/index.ts'
import { failuresText, legend, sectionText, verdictsOf } from './table.ts'
import { TOOLS, type Tool } from './tools/index.ts'

/** What a full run keeps at most: four stores, the registry with what was pushed, archives, the context. */
const BYTES = 28e9

/** What a run gave. */
export interface Outcome {
  readonly text: string
  /** Lines about bars that are missed by more than a tenth. */
  readonly missed: readonly string[]
  /** Lines about bars for which a peer has no figure. */
  readonly notJudged: readonly string[]
  readonly ownFailure: boolean
}

/** Plays rows on bale and the other tools, and returns the tables. */
export async function compare(
  sections: readonly Section[],
  rows: readonly Row[],
  machine: Machine,
  { scale, rounds, tools: names, json }: BenchOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  await using place = benchDirectory(BYTES * scale + 2e9)
  console.log(`making the image (${scale} × 1 GB, 50,000 files) …`)
  await using registry = await startPeerRegistry(place.path)
  const bench = await prepareBench(place.path, { scale, registry: registry.host, signal })
  const results = new Results()
  await using started = new AsyncDisposableStack()
  const tools: Tool[] = []
  const absent: string[] = []
  for (const name of names) {
    try {
      tools.push(started.use(await TOOLS.get(name)!(`${place.path}/${name}`)))
    } catch (error) {
      if (name === 'bale') throw error
      absent.push(`- left out: ${name}: ${(error as Error).message}`)
    }
  }
  const versions = `Compared: ${tools.map(({ version }) => version).join('; ')}. Medians of ${rounds} rounds at ${scale} of the full sizes.`
  console.log([versions, ...absent].join('\n'))
  await play({ bench, rows: playOrder(rows), tools, rounds, results, signal, say: (text) => console.log(text) })
  if (json)
    writeFileSync(
      json,
      `${JSON.stringify({ machine, versions, absent, scale, rounds, ...results.toJSON() }, undefined, 1)}\n`,
    )
  const shown = sections
    .map((section) => ({ ...section, rows: section.rows.filter((row) => rows.includes(row)) }))
    .filter((section) => section.rows.length > 0)
  const options = { results, tools: tools.map(({ name }) => name), slowness: machine.slowness }
  const notes = [...absent, failuresText(results)].filter(Boolean)
  return {
    text: [
      `${versions} ${slownessText(machine)}`,
      ...shown.map((section) => `${sectionText(section, options)}\n\n${legend(section.rows)}`),
      ...(notes.length > 0 ? [`### What gave no figure\n\n${notes.join('\n')}`] : []),
    ].join('\n\n'),
    missed: verdictLines(rows, results, machine, 'missed'),
    notJudged: verdictLines(rows, results, machine, 'not judged'),
    ownFailure: results.ownFailure,
  }
}

/** Lines about the bars of one kind of verdict. */
function verdictLines(rows: readonly Row[], results: Results, { slowness }: Machine, kind: Verdict['state']): string[] {
  return rows.flatMap((row) =>
    verdictsOf(row, results.of(row.name), slowness)
      .filter(({ state }) => state === kind)
      .map(({ bar, share, lack }) => `${row.name}: ${bar}: ${lack ?? `${share!.toFixed(2)} of the bar`}`),
  )
}
