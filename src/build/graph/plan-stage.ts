import { BaleError, printable } from '#base'
import { formatPlatform, type Platform } from '#spec'
import { explainAt, originOf, parseTrigger } from '../dockerfile/index.ts'
import {
  type Expander,
  parseCommand,
  planCommand,
  recordEmpty,
  recordStep,
  type StageCommand,
  type StageState,
  stepTitle,
  type Work,
  withConfig,
  withoutConfig,
} from '../instructions/index.ts'
import { imageOfContext } from './choose-base.ts'
import type { GraphNode, NodeId, SourceNode, StepNode } from './node.ts'
import type { PlanScope } from './plan-scope.ts'
import { type Stage, sourceStage } from './stages.ts'

/** What a stage begins with. */
export interface StageBase {
  /** As in FROM. */
  name: string
  state: StageState
  /** The node that its files are of. */
  node: NodeId
  /** Nodes that FROM itself brings. */
  nodes: readonly SourceNode[]
  /** `FROM busybox:1`, when progress shows the base as a step. */
  title?: string
  /** The node of a context of files: the first layer is made of them. */
  files?: NodeId
}

export interface PlannedStage {
  stage: Stage
  state: StageState
  /** Ends with the result of the stage. */
  nodes: readonly GraphNode[]
  /** The base as progress shows it. */
  base: { id: string; name: string } | undefined
  /** The instructions of the stage itself, with what they saw; triggers of the base are not among them. */
  commands: readonly PlannedCommand[]
}

export interface PlannedCommand {
  command: StageCommand
  /** The stage as the instruction saw it. */
  before: StageState
  /** Names without a value. */
  unset: Expander['unset']
  work: Work | undefined
}

/**
 * The nodes of one stage. Pure: the Dockerfile, the build's arguments and the base image's configuration determine them. Throws
 * DOCKERFILE_INVALID at the word that is wrong, before anything of the stage is executed.
 */
export function planStage(stage: Stage, base: StageBase, scope: PlanScope): PlannedStage {
  const plan = new StagePlanner(stage, base, scope)
  if (base.files !== undefined) plan.takeFiles(base.files)
  for (const command of triggersOf(base)) plan.take(command)
  return plan.finish(stage.commands.map((command) => plan.take(command)))
}

/** The triggers that the base left, as commands of this stage; they are used up. */
function triggersOf({ state, name }: StageBase): StageCommand[] {
  return (state.config.OnBuild ?? []).map((text) => {
    const command = parseCommand(parseTrigger(text, `ONBUILD of ${name}`))
    if (command.kind !== 'FROM' && command.kind !== 'ONBUILD') return command
    throw new BaleError(
      'DOCKERFILE_INVALID',
      `the base image ${name} has the trigger ${command.kind}, which is not allowed`,
    )
  })
}

type Draft = Omit<StepNode, 'name'> & { title: string }

class StagePlanner {
  readonly #stage: Stage
  readonly #base: StageBase
  readonly #scope: PlanScope
  readonly #sources: SourceNode[]
  readonly #steps: Draft[] = []
  #state: StageState
  #below: NodeId

  constructor(stage: Stage, base: StageBase, scope: PlanScope) {
    this.#stage = stage
    this.#base = base
    this.#scope = scope
    this.#sources = [...base.nodes]
    this.#state = withoutConfig(base.state, 'OnBuild')
    this.#below = base.node
  }

  /** FROM a context of files. */
  takeFiles(files: NodeId): void {
    const title = `FROM ${this.#base.name}`
    const id = this.#add(
      { operation: 'context-layer', definition: {} },
      [files],
      title,
      originOf(this.#stage.from.instruction),
    )
    this.#state = recordStep(this.#state, title, id)
  }

  take(command: StageCommand): PlannedCommand {
    const { instruction } = command
    const before = this.#state
    const title = stepTitle(instruction, before)
    const { state, createdBy, work, unset } = planCommand(command, before, this.#scope)
    this.#state = state
    if (work) {
      const id = this.#add(work, this.#inputsOf(work, command), title, originOf(instruction))
      this.#state = recordStep(state, createdBy!, id)
    } else if (createdBy !== undefined) this.#state = recordEmpty(state, createdBy)
    // docker's field for Windows, which BuildKit sets for all.
    if (command.kind === 'CMD') this.#state = withConfig(this.#state, { ArgsEscaped: true })
    return { command, before, unset, work }
  }

  finish(commands: readonly PlannedCommand[]): PlannedStage {
    const { index, name } = this.#stage
    const { title } = this.#base
    const total = this.#steps.length + (title === undefined ? 0 : 1)
    const shown = (number: number, text: string) =>
      `[${labelOf(this.#stage, this.#scope)}${String(number).padStart(String(total).length)}/${total}] ${text}`
    const offset = title === undefined ? 1 : 2
    const steps = this.#steps.map(
      ({ title: text, ...step }, at) => plain({ ...step, name: shown(at + offset, text) }) as StepNode,
    )
    const result: GraphNode = {
      id: String(index),
      operation: 'stage',
      inputs: [this.#below],
      definition: {},
      platform: this.#state.platform,
      label: `stage ${name ?? index}`,
    }
    return {
      stage: this.#stage,
      state: this.#state,
      nodes: [...this.#sources, ...steps, result],
      base: title === undefined ? undefined : { id: `${index}.1`, name: shown(1, title) },
      commands,
    }
  }

  #add(work: Pick<StepNode, 'operation' | 'definition'>, inputs: NodeId[], title: string, origin: StepNode['origin']) {
    const { index, name } = this.#stage
    const number = this.#steps.length + (this.#base.title === undefined ? 1 : 2)
    const id = `${index}.${number}`
    this.#steps.push({
      id,
      operation: work.operation,
      inputs: [this.#below, ...inputs],
      definition: work.definition,
      platform: this.#state.platform,
      label: `stage ${name ?? index}`,
      ...(name !== undefined && { stage: name }),
      title,
      origin,
    } as Draft)
    this.#below = id
    return id
  }

  #inputsOf(work: Work, command: StageCommand): NodeId[] {
    return work.sources.map((name) => {
      try {
        return this.#source(name)
      } catch (error) {
        throw explainAt(command.instruction)(error)
      }
    })
  }

  /** What `--from=NAME` and `from=NAME` mean: a named context, an earlier stage (by name or number), else an image. */
  #source(name: string | undefined): NodeId {
    const { contexts, plan, platform } = this.#scope
    const place = name === undefined ? undefined : contexts.get(name)
    if (name === undefined || place !== undefined) return this.#know(contextNode(name, place, platform))
    const stage = sourceStage(plan, name, this.#stage.index)
    return stage ? String(stage.index) : this.#know(imageNode(name, platform, `the image ${printable(name)}`))
  }

  #know(node: SourceNode): NodeId {
    if (!this.#sources.some(({ id }) => id === node.id)) this.#sources.push(node)
    return node.id
  }
}

export function imageNode(reference: string, platform: Platform, label: string): SourceNode {
  const id = `image ${formatPlatform(platform)} ${reference}`
  return { id, operation: 'image', inputs: [], definition: { reference }, platform, label }
}

/** A context by name; without one, the build context. It may refer to an image. */
export function contextNode(name: string | undefined, place: string | undefined, platform: Platform): SourceNode {
  const id = name === undefined ? 'context' : `context ${name}`
  const label = name === undefined ? 'the build context' : `the build context ${name}`
  const reference = place === undefined ? undefined : imageOfContext(place)
  const node = { id, inputs: [], platform, label }
  if (reference !== undefined) return { ...node, operation: 'image', definition: { reference } }
  return { ...node, operation: 'context', definition: place === undefined ? {} : { place } }
}

function labelOf({ name, index }: Stage, { plan }: PlanScope): string {
  const label = name ?? (plan.stages.length > 1 ? `stage-${index}` : '')
  return label === '' ? '' : `${label} `
}

/** As JSON keeps it: members without a value are gone. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
