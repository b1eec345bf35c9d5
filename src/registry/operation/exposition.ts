/**
 * Metrics in Prometheus' text form, version 0.0.4. Source: prometheus.io/docs/instrumenting/exposition_formats. Label values
 * come from closed sets: each other one would be a series that is kept for as long as the process runs.
 */
type Labels = Readonly<Record<string, string>>

/** `latest`: what all of them can know, and one knew last. */
export type Together = 'sum' | 'least' | 'greatest' | 'latest'

/** All samples of one name. */
export interface Family {
  readonly name: string
  /** What is made of the values of several processes. */
  readonly together: Together
  /** When it was last set, of `latest`: milliseconds since 1970. */
  readonly setAt?: number
  /** Lines that each end with a newline. */
  text(): string
}

/** Everything, as `/metrics` sends it. */
export function textOf(families: readonly Pick<Family, 'text'>[]): string {
  return families.map((family) => family.text()).join('')
}

interface Counter extends Family {
  add(labels: Labels, by?: number): void
}

interface Histogram extends Family {
  observe(labels: Labels, value: number): void
}

/** `from` are the labels of series that are 0 at the start, so that their first increase is one. */
export function createCounter(name: string, help: string, { from = [] }: { from?: readonly Labels[] } = {}): Counter {
  const values = new Map(from.map((labels) => [labelText(labels), 0]))
  return {
    name,
    together: 'sum',
    add(labels, by = 1) {
      const key = labelText(labels)
      values.set(key, (values.get(key) ?? 0) + by)
    },
    text: () =>
      head(name, help, 'counter') + [...values].map(([labels, value]) => sample(name, labels, value)).join(''),
  }
}

/** Read when it is asked for. Without a sample while it is undefined. */
export function createGauge(
  name: string,
  help: string,
  read: () => number | undefined,
  { type = 'gauge', together = 'sum' }: { type?: 'gauge' | 'counter'; together?: Together } = {},
): Family {
  return {
    name,
    together,
    text() {
      const value = read()
      return head(name, help, type) + (value === undefined ? '' : sample(name, '', value))
    },
  }
}

/** A gauge with labels, which has the value that was set last, by whichever process. */
export function createGauges(name: string, help: string): Family & { set(labels: Labels, value: number): void } {
  const values = new Map<string, number>()
  let setAt = 0
  return {
    name,
    together: 'latest',
    get setAt() {
      return setAt
    },
    set(labels, value) {
      values.set(labelText(labels), value)
      setAt = Date.now()
    },
    text: () => head(name, help, 'gauge') + [...values].map(([labels, value]) => sample(name, labels, value)).join(''),
  }
}

/** `bounds` are the upper ones of the buckets, in ascending order. */
export function createHistogram(name: string, help: string, bounds: readonly number[]): Histogram {
  const series = new Map<string, { labels: Labels; counts: number[]; sum: number; count: number }>()
  const lines = ({ labels, counts, sum, count }: { labels: Labels; counts: number[]; sum: number; count: number }) =>
    [
      ...bounds.map((le, at) => sample(`${name}_bucket`, labelText({ ...labels, le: String(le) }), counts[at]!)),
      sample(`${name}_bucket`, labelText({ ...labels, le: '+Inf' }), count),
      sample(`${name}_sum`, labelText(labels), sum),
      sample(`${name}_count`, labelText(labels), count),
    ].join('')
  return {
    name,
    together: 'sum',
    observe(labels, value) {
      const key = labelText(labels)
      const one = series.get(key) ?? { labels, counts: bounds.map(() => 0), sum: 0, count: 0 }
      series.set(key, one)
      one.sum += value
      one.count++
      for (const [at, bound] of bounds.entries()) if (value <= bound) one.counts[at]!++
    },
    text: () => head(name, help, 'histogram') + [...series.values()].map(lines).join(''),
  }
}

function head(name: string, help: string, type: string): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`
}

function sample(name: string, labels: string, value: number): string {
  return `${name}${labels} ${value}\n`
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
