import type { Platform } from '#spec'
import type { Origin } from '../dockerfile/index.ts'
import type { CopyDefinition, RunDefinition, WorkdirDefinition } from '../instructions/index.ts'

/** Names a node within its graph: `2` is the result of stage 2, `2.1` its first step, others are sources. */
export type NodeId = string

interface Node<Operation extends string, Definition> {
  id: NodeId
  operation: Operation
  /** Nodes whose files this one reads; the first is its base. */
  inputs: readonly NodeId[]
  /** Everything else that determines the result besides the inputs and the platform. */
  definition: Definition
  platform: Platform
  /** What messages call its files: `stage build`, `the image busybox`. */
  label: string
}

/** What exists before the build: an image, a context, nothing. */
export type SourceNode =
  | Node<'scratch', Record<string, never>>
  | Node<'image', { reference: string }>
  /** Without a place it is the build context. */
  | Node<'context', { place?: string }>

/** The result of a stage: that of its last step, or of its base. */
type StageNode = Node<'stage', Record<string, never>>

/** Makes a layer over its first input. */
export type StepNode = (
  | Node<'run', RunDefinition>
  | Node<'copy', CopyDefinition>
  | Node<'workdir', WorkdirDefinition>
  /** FROM a context of files: they are the first layer. */
  | Node<'context-layer', Record<string, never>>
) & {
  /** As progress shows it: `[build 2/5] RUN make`. */
  name: string
  /** Name of the stage, for rules of the cache. */
  stage?: string
  origin: Origin
}

/**
 * One operation of a build as plain data: what JSON keeps of it is all of it. Nothing in it refers to the Dockerfile, the
 * machine or a function.
 */
export type GraphNode = SourceNode | StageNode | StepNode

export type StepOf<Operation extends StepNode['operation']> = Extract<StepNode, { operation: Operation }>

export function isStep(node: GraphNode): node is StepNode {
  return 'origin' in node
}

/** A graph whose nodes appear while it is solved: the base image determines what follows. */
export interface Graph {
  node(id: NodeId): GraphNode | Promise<GraphNode>
}
