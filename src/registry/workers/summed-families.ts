import type { Together } from '../operation/index.ts'
import type { MeasuredFamily } from './messages.ts'

/** Metrics of several processes as those of one. */
export function summedFamilies(processes: readonly (readonly MeasuredFamily[])[]): MeasuredFamily[] {
  const byName = new Map<string, { family: MeasuredFamily; head: string; values: Map<string, number> }>()
  for (const family of processes.flat().toSorted((one, other) => (one.setAt ?? 0) - (other.setAt ?? 0))) {
    const { head, samples } = partsOf(family.text)
    const known = byName.get(family.name) ?? { family, head, values: new Map<string, number>() }
    byName.set(family.name, known)
    for (const [key, value] of samples) {
      const before = known.values.get(key)
      known.values.set(key, before === undefined ? value : COMBINE[family.together](before, value))
    }
  }
  return [...byName.values()].map(({ family, head, values }) => ({
    ...family,
    text: head + [...values].map(([key, value]) => `${key} ${value}\n`).join(''),
  }))
}

/** What a process that has ended leaves behind: sums that others go on with. Its memory is nobody's any more. */
export function lastingFamilies(families: readonly MeasuredFamily[]): MeasuredFamily[] {
  return families.filter(
    ({ together, text }) => together === 'greatest' || /^# TYPE \S+ (?:counter|histogram)$/m.test(text),
  )
}

const COMBINE: Record<Together, (one: number, other: number) => number> = {
  sum: (one, other) => one + other,
  least: Math.min,
  greatest: Math.max,
  // They are in this order.
  latest: (_, other) => other,
}

/** `name{labels} value`, a line each. */
function partsOf(text: string): { head: string; samples: [string, number][] } {
  const lines = text.split('\n').filter((line) => line !== '')
  const isComment = (line: string) => line.startsWith('#')
  return {
    head: lines
      .filter(isComment)
      .map((line) => `${line}\n`)
      .join(''),
    samples: lines
      .filter((line) => !isComment(line))
      .map((line) => {
        const end = line.lastIndexOf(' ')
        return [line.slice(0, end), Number(line.slice(end + 1))]
      }),
  }
}
