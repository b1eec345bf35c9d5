import type { Digest } from '#spec'
import type { Dockerfile } from './dockerfile/index.ts'
import { type GraphNode, isStep, type NodeId, type Solution } from './graph/index.ts'

/** What was done for an image, as plain data. */
export interface BuildRecord {
  readonly dockerfile: { readonly name: string; readonly text: string }
  /** All that the result was made of, each behind its inputs; the last one is the result. */
  readonly steps: readonly RecordedStep[]
  /** Seconds since 1970: no time of the image is later. */
  readonly sourceDateEpoch: number | undefined
}

/** A node of the graph, and what became of it. */
export interface RecordedStep {
  readonly node: GraphNode
  /** Of its files; undefined for those of a context. */
  readonly layers: readonly Digest[] | undefined
  /** Of its instruction, counted from 1; undefined when that is not in the Dockerfile. */
  readonly lines: { readonly first: number; readonly last: number } | undefined
}

interface Solved extends Pick<Solution, 'layers'> {
  plan: { dockerfile: Dockerfile }
  /** The Dockerfile as it was found. */
  written: BuildRecord['dockerfile']
  epoch: number | undefined
}

/** What was done for the target of a graph that is solved. */
export async function recordBuild(
  graph: { node(id: NodeId): GraphNode | Promise<GraphNode> },
  target: NodeId,
  { layers, plan, written: { name, text }, epoch }: Solved,
): Promise<BuildRecord> {
  const steps = new Map<NodeId, RecordedStep>()
  const visit = async (id: NodeId): Promise<void> => {
    if (steps.has(id)) return
    const node = await graph.node(id)
    for (const input of node.inputs) await visit(input)
    steps.set(id, { node, layers: layers.get(id), lines: linesOf(node, plan.dockerfile) })
  }
  await visit(target)
  return { dockerfile: { name, text }, steps: [...steps.values()], sourceDateEpoch: epoch }
}

function linesOf(node: GraphNode, { source, instructions }: Dockerfile): RecordedStep['lines'] {
  if (!isStep(node) || node.origin.file !== source.name) return undefined
  const range = instructions.find(({ range: { start } }) => start.line === node.origin.line)?.range
  return range && { first: range.start.line, last: range.end.line }
}
