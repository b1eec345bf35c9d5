import type { Digest } from '#spec'
import type { SourceTree } from '../context/index.ts'
import type { GraphNode, NodeId, StepNode } from './node.ts'

/** The result of a node: files to copy or mount from, or to build on. */
export interface Files {
  label: string
  /** Layers, if any: they identify the content without reading it. */
  layers: readonly Digest[] | undefined
  open(): Promise<OpenFiles>
}

export interface OpenFiles extends AsyncDisposable {
  tree: SourceTree
}

/** A step that is about to be taken: how to know its result, and how to make it. */
export interface Step {
  /** Keys by which the result may be found, cheapest first; later ones are computed only when the earlier find nothing. */
  keys: readonly (() => Promise<string>)[]
  /**
   * Key of a mark that says whether a step of this definition was ever done, whatever its files were. When there is none,
   * the costly keys are not computed before the step.
   */
  mark?(): Promise<string>
  execute(output: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void): Promise<StepResult>
  /** Closes what the keys opened. */
  close?(): Promise<void>
}

interface StepResult {
  /** Undefined: nothing changed, and the instruction needs no empty layer. */
  diffId: Digest | undefined
  /** The keys to remember it by, when the files turned out to be others than those of `keys`. */
  keys?: readonly string[]
}

/** What is kept of a step that was taken. */
export interface TakenStep {
  /** Undefined: the step changed nothing and made no layer. */
  diffId?: Digest
  /** RFC 3339. */
  created: string
}

/** Remembers results of steps. */
export interface StepCache {
  find(step: Step): Promise<TakenStep | undefined>
  /** Keeps what was made, and says when. */
  keep(step: Step, result: StepResult): Promise<TakenStep>
}

/** How each operation is done. A runner of steps gets the files of its inputs, in their order. */
export type Runners = {
  [N in StepNode as N['operation']]: (node: N, inputs: readonly Files[]) => Promise<Step>
} & {
  [N in Exclude<GraphNode, StepNode | { operation: 'stage' }> as N['operation']]: (node: N) => Promise<Files>
}

/** A solved graph. */
export interface Solution {
  /** Of the target. */
  files: Files
  /** Every step that was needed. */
  steps: ReadonlyMap<NodeId, TakenStep>
  /** Every node that was needed, with the layers of its files, if they have any. */
  layers: ReadonlyMap<NodeId, readonly Digest[] | undefined>
}
