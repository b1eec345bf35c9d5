import { YARDSTICK } from './bars.ts'
import type { Results } from './results.ts'
import type { Bench, Row, ToolState, Turn } from './row.ts'
import { forgetBuild } from './rows/built-image.ts'
import { must, timed } from './timed.ts'
import { basic, script, type Tool } from './tools/index.ts'

interface PlayOptions {
  readonly bench: Bench
  /** In the order in which they are to be played. */
  readonly rows: readonly Row[]
  readonly tools: readonly Tool[]
  readonly rounds: number
  readonly results: Results
  readonly signal?: AbortSignal
  /** Told what is done, for somebody who waits. */
  readonly say?: (text: string) => void
}

/**
 * Plays all rows, each by one tool after the other, so that what else the machine does meets all of them. A row that fails
 * for a tool is noted and not tried again for it; the others go on. Throws only when `signal` is aborted.
 */
export async function play(options: PlayOptions): Promise<void> {
  const { bench, rows, tools, rounds, results, signal, say } = options
  const states = new Map(tools.map((tool) => [tool, {} as ToolState]))
  const start = performance.now()
  for (let round = 1; round <= rounds; round++) {
    for (const row of rows) {
      say?.(`${Math.round((performance.now() - start) / 1000)} s: round ${round} of ${rounds}: ${row.name}`)
      await attempt(row, YARDSTICK, results, signal, () => timeYardstick(row, bench, results, signal))
      for (const tool of tools) {
        await attempt(row, tool.name, results, signal, async () => {
          const state = states.get(tool)!
          states.set(tool, {})
          const turn = turnOf({ ...options, row, tool, round, state })
          await prepareImage(row, turn)
          await row.play(turn)
          // What a failed one leaves is not known.
          states.set(tool, state)
        })
      }
    }
  }
}

async function attempt(
  row: Row,
  tool: string,
  results: Results,
  signal: AbortSignal | undefined,
  act: () => Promise<void>,
): Promise<void> {
  if (results.hasFailed(row.name, tool)) return
  try {
    await act()
  } catch (error) {
    signal?.throwIfAborted()
    results.fail(row, tool, error instanceof Error ? error.message : String(error))
  }
  signal?.throwIfAborted()
}

async function timeYardstick(row: Row, bench: Bench, results: Results, signal?: AbortSignal): Promise<void> {
  if (!row.yardstick) return
  const text = row.yardstick.script(bench)
  if (typeof text !== 'string') throw new Error(text.missing)
  const options = { env: basic(), signal }
  // As often as a tool's caches are warm.
  await must(script(text), options)
  results.add(row, YARDSTICK, await timed(script(text), options))
}

function turnOf(
  at: Pick<Turn, 'bench' | 'tool' | 'round' | 'state'> & { row: Row; results: Results; signal?: AbortSignal },
): Turn {
  const { bench, tool, round, state, row, results, signal } = at
  const options = (more = {}) => ({ env: { ...tool.env, ...more }, signal })
  return {
    ...{ bench, tool, round, state },
    async time(command, more) {
      results.add(row, tool.name, await timed(command, { ...options(more), daemons: tool.daemons?.() ?? [] }))
    },
    add: (timing) => results.add(row, tool.name, timing),
    must: (command, more) => must(command, options(more)),
  }
}

/** Brings the image into the state that the row asks for. */
async function prepareImage(row: Row, turn: Turn): Promise<void> {
  const { bench, tool, state, must } = turn
  if (!row.image || row.image === state.image || !tool.pull || !tool.remove) return
  if (state.image === undefined) await removeAnything(turn)
  else if (row.image === 'absent') {
    await forgetBuild(turn)
    await must(tool.remove(bench.image))
  }
  state.image = 'absent'
  if (row.image === 'present') await must(tool.pull(bench.image))
  state.image = row.image
}

/** Of a tool whose state is not known: what is not there cannot be removed, which is no failure. */
async function removeAnything({ bench, tool, must }: Turn): Promise<void> {
  const names = ['bench-ended']
  const images = ['bench/built:1', 'bench/copied:1', 'bench/filled:1', tool.loadedName?.('bench/loaded:1')]
  const commands = [
    ...names.map((name) => tool.removeContainer?.(name)),
    ...[...images, bench.image].map((image) => image && tool.remove?.(image)),
    ...(tool.forgetBuilds?.() ?? []),
  ]
  for (const command of commands) if (command) await must(command).catch(() => undefined)
}
