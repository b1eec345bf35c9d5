import type { Instruction } from '../dockerfile/index.ts'
import type { Expander } from './expander.ts'
import type { StageState } from './stage-state.ts'
import type { Work } from './work.ts'

/**
 * One kind of instruction: its grammar, and what it does to a stage. A new one is a file with such an object, a line in
 * `table.ts`, and its name among the keywords of the language.
 */
export interface InstructionType<C extends { instruction: Instruction }> {
  /**
   * Understands the arguments; nothing is expanded yet. Throws a Mistake or DOCKERFILE_INVALID; an unknown flag is refused
   * by name. `parseOther` understands an instruction inside this one.
   */
  parse(instruction: Instruction, parseOther: (instruction: Instruction) => { kind: string }): C
  /** Pure: the stage after the instruction. Undefined for FROM, which begins a stage. */
  plan?(command: C, view: PlanView): Planned
}

/** What an instruction sees. */
export interface PlanView {
  /** The stage so far. */
  state: StageState
  /** Fills in variables of the stage. */
  words: Expander
  scope: BuildScope
}

/** The options of the whole build. */
export interface BuildScope {
  /** `--build-arg`. */
  given: ReadonlyMap<string, string>
  /** ARG before the first FROM, and the platform arguments. */
  globals: ReadonlyMap<string, string>
  /** What RUN --network=default means. */
  network: 'bridge' | 'none' | 'host'
  /** `network.host`, `security.insecure`. */
  allowed: ReadonlySet<string>
}

export interface Planned {
  state: StageState
  /** The entry in the history. Undefined: there is none. */
  createdBy?: string | undefined
  /** What is to be done to the files. Undefined: the instruction changes the configuration only. */
  work?: Work
}
