import type { ImageConfig, Platform } from '#spec'
import { explainAt } from '../dockerfile/index.ts'
import { stateOfImage, stateOfStage } from '../instructions/index.ts'
import { type Base, chooseBase } from './choose-base.ts'
import type { Graph, GraphNode } from './node.ts'
import type { PlanScope } from './plan-scope.ts'
import { contextNode, imageNode, type PlannedStage, planStage, type StageBase } from './plan-stage.ts'
import type { Stage } from './stages.ts'

/** The configuration of a base image: what the plan of a stage needs to know of the world. */
export interface FoundImage {
  config: ImageConfig
  platform: Platform
  /** The full name under which the image can be pulled again. */
  reference: string
  /** As progress shows it. */
  shown: string
}

export interface GrowingGraph extends Graph {
  /** A stage and what it needs of others, planned once. */
  stage(stage: Stage): Promise<PlannedStage>
}

interface GrowOptions {
  /** Looks up a base image; called for stages that are needed only. */
  findImage(base: Extract<Base, { kind: 'image' }>, stage: Stage): Promise<FoundImage>
  /** A stage was planned; for display. */
  onPlanned?(planned: PlannedStage): void
}

/** Plans stages when their nodes are requested: a stage that the target does not need is never planned. */
export function growGraph(scope: PlanScope, { findImage, onPlanned }: GrowOptions): GrowingGraph {
  const stages = new Map<number, Promise<PlannedStage>>()
  const nodes = new Map<string, GraphNode>()

  const planned = (stage: Stage): Promise<PlannedStage> => {
    const running = stages.get(stage.index) ?? plan(stage)
    stages.set(stage.index, running)
    return running
  }
  const baseOf = async (stage: Stage): Promise<StageBase> => {
    const base = chooseBase(scope, stage)
    const { name, platform } = base
    switch (base.kind) {
      case 'stage': {
        const { state } = await planned(base.stage)
        return { name, state: stateOfStage(state), node: String(base.stage.index), nodes: [] }
      }
      case 'scratch':
        return { name, ...emptyBase(platform) }
      case 'context': {
        const files = contextNode(name, scope.contexts.get(name), scope.platform)
        const { state, node, nodes } = emptyBase(platform)
        return { name, state, node, nodes: [...nodes, files], files: files.id }
      }
      case 'image': {
        const found = await findImage(base, stage)
        const node = imageNode(found.reference, platform, `the image ${found.shown}`)
        const state = stateOfImage(found.config, found.platform)
        return { name, state, node: node.id, nodes: [node], title: `FROM ${found.shown}` }
      }
    }
  }
  async function plan(stage: Stage): Promise<PlannedStage> {
    try {
      const result = planStage(stage, await baseOf(stage), scope)
      for (const node of result.nodes) nodes.set(node.id, node)
      onPlanned?.(result)
      return result
    } catch (error) {
      throw explainAt(stage.from.instruction)(error)
    }
  }
  return {
    stage: planned,
    async node(id) {
      const stage = /^(\d+)(?:\.|$)/.exec(id)?.[1]
      if (stage !== undefined) await planned(scope.plan.stages[Number(stage)]!)
      // Sources are known with the stage that names them, which is planned before its inputs are requested.
      return nodes.get(id)!
    },
  }
}

function emptyBase(platform: Platform): Pick<StageBase, 'state' | 'node' | 'nodes'> {
  const id = 'scratch'
  const node: GraphNode = { id, operation: 'scratch', inputs: [], definition: {}, platform, label: 'scratch' }
  return { state: stateOfImage(undefined, platform), node: id, nodes: [node] }
}
