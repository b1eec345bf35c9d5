import { barText, judge, peak } from '../bars.ts'
import { markdown } from '../table.ts'
import { median } from '../timed.ts'
import { growthOf, LINEAR, type Point, type Series } from './series.ts'

/** A series and what its verbs took, by verb. */
export interface Measured {
  readonly series: Series
  readonly points: ReadonlyMap<string, readonly Point[]>
}

const secondsAt = ({ timings }: Point) => median(timings.map(({ seconds }) => seconds))

/** One line for a verb: seconds and peak at each size, and whether a unit costs more where there are many. */
export function growthTable(measured: readonly Measured[], slowness: number): string {
  const cell = (point: Point | undefined) =>
    point ? `${secondsAt(point).toFixed(2)} s, ${Math.round(peak(point.timings))} MB` : ''
  return markdown([
    ['what', 'sizes', 'verb', 'one', 'a tenth', 'a third', 'the whole', 'each more, last / first', 'bars', ''],
    ...measured.flatMap(({ series, points }) =>
      [...points].map(([verb, line]) => {
        const growth = growthOf(line.map((point) => ({ size: point.size, seconds: secondsAt(point) })))
        return [
          series.does,
          `${line.map(({ size }) => size).join(', ')} ${series.unit}`,
          verb,
          ...[0, 1, 2, 3].map((index) => cell(line[index])),
          growth === undefined ? 'constant' : `${growth.toFixed(2)}${growth > LINEAR ? ' **not linear**' : ''}`,
          (series.bars?.[verb] ?? []).map((bar) => barText(bar, slowness)).join('; '),
          verdictsOf(series, verb, line, slowness)
            .map(({ state }) => (state === 'missed' ? '**missed**' : state))
            .join('; '),
        ]
      }),
    ),
  ])
}

/** Lines about bars that are missed by more than a tenth, and about verbs whose cost grows faster than the size. */
export function missedBars(measured: readonly Measured[], slowness: number): string[] {
  return measured.flatMap(({ series, points }) =>
    Object.keys(series.bars ?? {}).flatMap((verb) =>
      verdictsOf(series, verb, points.get(verb) ?? [], slowness)
        .filter(({ state }) => state === 'missed')
        .map(({ bar, share, lack }) => `${series.name}, ${verb}: ${bar}: ${lack ?? `${share!.toFixed(2)} of the bar`}`),
    ),
  )
}

/** At the largest size. */
const verdictsOf = (series: Series, verb: string, line: readonly Point[], slowness: number) =>
  (series.bars?.[verb] ?? []).map((bar) => judge(bar, new Map([['bale', line.at(-1)?.timings ?? []]]), slowness))
