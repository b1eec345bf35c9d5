import type { Samples } from './bars.ts'
import type { Row } from './row.ts'
import type { Timing } from './timed.ts'

/** Something that could not be measured, and why. */
export interface Failure {
  readonly row: string
  readonly tool: string
  readonly reason: string
}

/** Samples by row and tool, and what failed. A failed cell has no samples: half of the truth would be shown as all of it. */
export class Results {
  readonly failures: Failure[] = []
  readonly #samples = new Map<string, Map<string, Timing[]>>()

  add(row: Row, tool: string, timing: Timing): void {
    if (this.hasFailed(row.name, tool)) return
    const cells = this.#samples.get(row.name) ?? new Map<string, Timing[]>()
    this.#samples.set(row.name, cells)
    cells.set(tool, [...(cells.get(tool) ?? []), timing])
  }

  fail(row: Row, tool: string, reason: string): void {
    this.#samples.get(row.name)?.delete(tool)
    this.failures.push({ row: row.name, tool, reason })
  }

  hasFailed(row: string, tool: string): boolean {
    return this.failures.some((one) => one.row === row && one.tool === tool)
  }

  of(row: string): Samples {
    return this.#samples.get(row) ?? new Map()
  }

  /** Whether a part of the bench that is the project's own did not work. */
  get ownFailure(): boolean {
    return this.failures.some(({ tool }) => tool === 'bale')
  }

  /** All samples, for a file. */
  toJSON(): object {
    const rows = [...this.#samples].map(([row, cells]) => [row, Object.fromEntries(cells)])
    return { rows: Object.fromEntries(rows), failures: this.failures }
  }
}
