import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Outcome } from '../compare.ts'
import { type Machine, slownessText } from '../machine.ts'
import type { BenchOptions } from '../options.ts'
import { startPeerRegistry } from '../peer-registry.ts'
import { benchDirectory, removeWithMounts } from '../place.ts'
import { must, type Timing, timed } from '../timed.ts'
import { baleEnvironment, installedBale, removeContainers } from '../tools/index.ts'
import { growthTable, type Measured, missedBars } from './growth-table.ts'
import { type Series, sizesOf } from './series.ts'

/** Plays series of growing sizes on bale alone. */
export async function grow(
  series: readonly Series[],
  machine: Machine,
  { scale, rounds, json }: BenchOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  await using place = benchDirectory(Math.max(...series.map(({ bytes }) => bytes)) * scale + 2e9)
  await using registry = await startPeerRegistry(place.path)
  const measured: Measured[] = []
  const failures: string[] = []
  for (const one of series) {
    const points = new Map<string, { size: number; timings: Timing[] }[]>()
    measured.push({ series: one, points })
    try {
      for (const size of sizesOf(one.whole, scale)) {
        for (let round = 0; round < rounds; round++) {
          console.log(`${one.name}: ${size} ${one.unit}, round ${round + 1} of ${rounds}`)
          await playSize(one, size, points, { directory: join(place.path, 'stage'), registry: registry.host, signal })
        }
      }
    } catch (error) {
      signal.throwIfAborted()
      failures.push(`- ${one.name}: ${(error as Error).message.replaceAll(/\s+/g, ' ').slice(0, 400)}`)
    }
  }
  if (json) {
    const raw = measured.map(({ series, points }) => [series.name, Object.fromEntries(points)])
    writeFileSync(
      json,
      `${JSON.stringify({ machine, scale, rounds, series: Object.fromEntries(raw), failures }, undefined, 1)}\n`,
    )
  }
  return {
    text: [
      `Medians of ${rounds} rounds at ${scale} of the full sizes. ${slownessText(machine)}`,
      growthTable(measured, machine.slowness),
      ...(failures.length > 0 ? [`What failed:\n\n${failures.join('\n')}`] : []),
    ].join('\n\n'),
    missed: missedBars(measured, machine.slowness),
    notJudged: [],
    ownFailure: failures.length > 0,
  }
}

/** In a store of its own, which is removed at the end. */
async function playSize(
  series: Series,
  size: number,
  points: Map<string, { size: number; timings: Timing[] }[]>,
  { directory, registry, signal }: { directory: string; registry: string; signal: AbortSignal },
): Promise<void> {
  mkdirSync(directory)
  await using held = new AsyncDisposableStack()
  held.defer(() => removeWithMounts(directory))
  const env = baleEnvironment(directory)
  const program = installedBale(directory)
  held.defer(() => removeContainers(program, env))
  await series.play(size, {
    ...{ directory, env, registry },
    async time(verb, args) {
      const timing = await timed([program, ...args], { env, signal })
      const line = points.get(verb) ?? []
      points.set(verb, line)
      const point = line.find((one) => one.size === size)
      if (point) point.timings.push(timing)
      else line.push({ size, timings: [timing] })
    },
    must: (args) => must([program, ...args], { env, signal }),
  })
}
