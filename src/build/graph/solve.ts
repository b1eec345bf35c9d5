import { type Clock, type Limiter, type Progress, silent } from '#base'
import type { Digest } from '#spec'
import { explainAt } from '../dockerfile/index.ts'
import { type Graph, type GraphNode, isStep, type NodeId, type StepNode } from './node.ts'
import type { Files, Runners, Solution, Step, StepCache, TakenStep } from './step.ts'

export interface SolveOptions {
  cache: StepCache
  runners: Runners
  /** The files of stacked layers. */
  filesOf(layers: readonly Digest[], label: string): Files
  /** Whether a step may take its result from the cache. */
  mayUseCache?(node: StepNode): boolean
  /** At most so many steps are executed at once. */
  limited: Limiter
  clock: Clock
  progress?: Progress
  /** Aborted by the first failure; runners must hold to it. */
  stop: AbortController
}

/**
 * Does what a target needs, and nothing else: every node at most once, independent ones at the same time, steps from the
 * cache when their inputs are unchanged. The first failure stops all others, and is what is thrown, with its place in
 * the Dockerfile, when all have undone their work.
 */
export async function solve(graph: Graph, target: NodeId, options: SolveOptions): Promise<Solution> {
  const run = new Solving(graph, options)
  return { files: await run.all(target), steps: run.steps, layers: await run.layers() }
}

class Solving {
  readonly #graph: Graph
  readonly #options: SolveOptions
  readonly #running = new Map<NodeId, Promise<Files>>()
  readonly steps = new Map<NodeId, TakenStep>()

  constructor(graph: Graph, options: SolveOptions) {
    this.#graph = graph
    this.#options = options
  }

  async all(target: NodeId): Promise<Files> {
    const { stop } = this.#options
    try {
      return await this.#files(target)
    } catch (error) {
      stop.abort(error)
      // A node that is undoing its work may be the last to bring up another one.
      for (let known = -1; known !== this.#running.size; ) {
        known = this.#running.size
        await Promise.allSettled(this.#running.values())
      }
      throw stop.signal.reason
    }
  }

  /** After the end of all. */
  async layers(): Promise<Map<NodeId, readonly Digest[] | undefined>> {
    const found = await Promise.all([...this.#running].map(async ([id, files]) => [id, (await files).layers] as const))
    return new Map(found)
  }

  #files(id: NodeId): Promise<Files> {
    const running = this.#running.get(id) ?? this.#solve(id)
    this.#running.set(id, running)
    return running
  }

  async #solve(id: NodeId): Promise<Files> {
    const { stop, runners } = this.#options
    const node = await this.#graph.node(id)
    stop.signal.throwIfAborted()
    if (node.operation === 'stage') return { ...(await this.#files(node.inputs[0]!)), label: node.label }
    if (!isStep(node)) {
      const runner = runners[node.operation] as (node: GraphNode) => Promise<Files>
      return runner(node)
    }
    try {
      return await this.#step(node)
    } catch (error) {
      const located = explainAt(node.origin)(error)
      stop.abort(located)
      throw located
    }
  }

  async #step(node: StepNode): Promise<Files> {
    const inputs = await this.#inputs(node)
    const { stop, runners, filesOf } = this.#options
    stop.signal.throwIfAborted()
    const runner = runners[node.operation] as (node: StepNode, inputs: readonly Files[]) => Promise<Step>
    const taken = await this.#take(node, await runner(node, inputs))
    this.steps.set(node.id, taken)
    const below = inputs[0]!.layers!
    return filesOf(taken.diffId ? [...below, taken.diffId] : below, node.label)
  }

  /** Of several inputs that fail, the first failure counts, not the first input. */
  #inputs(node: StepNode): Promise<Files[]> {
    return Promise.all(node.inputs.map((id) => this.#files(id)))
  }

  async #take(node: StepNode, step: Step): Promise<TakenStep> {
    const { cache, limited, clock, stop, mayUseCache = () => true, progress = silent } = this.#options
    const { id, name } = node
    try {
      const found = mayUseCache(node) ? await cache.find(step) : undefined
      if (found) {
        progress({ kind: 'step', id, name, state: 'cached' })
        return found
      }
      return await limited(async () => {
        stop.signal.throwIfAborted()
        progress({ kind: 'step', id, name, state: 'start' })
        const started = clock.now()
        const result = await step.execute((stream, bytes) => progress({ kind: 'output', id, stream, bytes }))
        const taken = await cache.keep(step, result)
        progress({ kind: 'step', id, name, state: 'done', seconds: (clock.now() - started) / 1000 })
        return taken
      })
    } catch (error) {
      progress({ kind: 'step', id, name, state: 'failed' })
      throw error
    } finally {
      await step.close?.()
    }
  }
}
