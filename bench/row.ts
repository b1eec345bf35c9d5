import type { Bar } from './bars.ts'
import type { BuildContext } from './build-context.ts'
import type { WrittenLayer } from './generated-image.ts'
import type { Timing } from './timed.ts'
import type { Tool } from './tools/index.ts'

/** One line of the tables: something that all tools are asked to do. */
export interface Row {
  /** Without a comma, since names are given as a list. */
  readonly name: string
  /** What exactly is done, in a few words. */
  readonly does: string
  readonly bars?: readonly Bar[]
  /** Whether the image must be in the tool's store before `play`, or must not. */
  readonly image?: 'present' | 'absent'
  /** A command line of no tool that does the same amount of work, to compare with. */
  readonly yardstick?: Yardstick
  /** Does it once and reports the time; reports nothing where the tool has no such command. */
  play(turn: Turn): Promise<void>
}

export interface Yardstick {
  readonly name: string
  /** A shell's command line, or why there is none here. */
  script(bench: Bench): string | { readonly missing: string }
}

/** Rows of one theme: a table of its own. */
export interface Section {
  readonly name: string
  readonly title: string
  readonly rows: readonly Row[]
}

/** What all rows are played on. */
export interface Bench {
  /** For all that is written. */
  readonly directory: string
  /** Share of the sizes that the project states its bars for. */
  readonly scale: number
  /** The OCI layout of the generated image, under the name `bench`. */
  readonly layout: string
  readonly layers: readonly WrittenLayer[]
  /** Name of the image in the registry that all tools pull from. */
  readonly image: string
  /** Repository of the registry, for pushes. */
  readonly repository: string
  /** The image as a docker archive of plain layers, named `bench/loaded:1`. */
  readonly archive: string
  /** The same for `bench/packages:1`, which has packages for an inventory on top. */
  readonly packagesArchive: () => Promise<string>
  readonly context: BuildContext
}

/** One row, one tool, once. */
export interface Turn {
  readonly bench: Bench
  readonly tool: Tool
  readonly round: number
  /** What this tool has, as far as rows left it in a known state; emptied when one of them fails. */
  readonly state: ToolState
  /** Runs a command as a sample of this row; `more` is added to the tool's environment. */
  time(command: readonly string[], more?: Readonly<Record<string, string>>): Promise<void>
  /** A sample that was measured in another way. */
  add(timing: Timing): void
  /** Runs a command that does not count; returns its output. */
  must(command: readonly string[], more?: Readonly<Record<string, string>>): Promise<string>
}

export interface ToolState {
  image?: 'present' | 'absent'
  /** Version of the context that `bench/built:1` was made of. */
  built?: number
  /** Whether no registry has seen the layers of `bench/built:1`. */
  unpushed?: boolean
  /** Whether the archive with packages is loaded. */
  packages?: boolean
}
