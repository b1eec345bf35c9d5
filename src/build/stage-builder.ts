import { BaleError } from '#base'
import type { Digest } from '#spec'
import { applyMetadata } from './apply-metadata.ts'
import type { BuildRun, LayerStep } from './build-run.ts'
import { type Command, parseCommand, parseTrigger } from './dockerfile/index.ts'
import { recordEmpty, recordLayer, type StageState } from './stage-state.ts'
import type { Stage } from './stages.ts'
import { copyStep } from './steps/copy-step.ts'
import { explainAt } from './steps/explain.ts'
import { runStep } from './steps/run-step.ts'
import { workdirStep } from './steps/workdir-step.ts'

/** What the cache keeps of a step. */
interface CachedStep {
  /** Undefined: the step changed nothing and made no layer. */
  diffId?: Digest
  /** RFC 3339. */
  created: string
}

/** Numbers the steps of a stage as docker shows them: FROM and what makes layers, `[build  2/11]`. */
export interface StepNames {
  next(title: string): { id: string; name: string }
}

export function stepNames(stage: Stage, stageCount: number, total: number): StepNames {
  const label = stage.name ?? (stageCount > 1 ? `stage-${stage.index}` : '')
  const width = String(total).length
  let index = 0
  return {
    next(title) {
      const number = `${String(++index).padStart(width)}/${total}`
      return { id: `${stage.index}.${index}`, name: `[${label ? `${label} ` : ''}${number}] ${title}` }
    },
  }
}

const LAYER_KINDS = new Set(['RUN', 'COPY', 'ADD', 'WORKDIR'])

export function countLayerSteps(commands: readonly Command[]): number {
  return commands.filter((command) => LAYER_KINDS.has(command.kind)).length
}

/** The triggers that the base left, as commands of this stage; they are used up. */
export function takeTriggers(state: StageState, baseName: string): Command[] {
  const triggers = state.config.OnBuild ?? []
  delete state.config.OnBuild
  return triggers.map((text) => {
    const command = parseCommand(parseTrigger(text, `ONBUILD of ${baseName}`))
    if (command.kind === 'FROM' || command.kind === 'ONBUILD') {
      throw new BaleError(
        'DOCKERFILE_INVALID',
        `the base image ${baseName} has the trigger ${command.kind}, which is not allowed`,
      )
    }
    return command
  })
}

/** Applies the commands of a stage one after the other. */
export async function buildStage(
  run: BuildRun,
  stage: Stage,
  state: StageState,
  commands: readonly Command[],
  names: StepNames,
): Promise<void> {
  for (const command of commands) {
    run.signal.throwIfAborted()
    try {
      const step = await layerStep(run, stage, state, command)
      if (step) await takeStep(run, stage, state, step, names)
      else if (isMetadata(command)) applyMetadata(state, command, run)
      // docker's field for Windows, which BuildKit sets for all.
      if (command.kind === 'CMD') state.config.ArgsEscaped = true
    } catch (error) {
      throw explainAt(command.instruction)(error)
    }
  }
}

type MetadataCommand = Parameters<typeof applyMetadata>[1]

function isMetadata(command: Command): command is MetadataCommand {
  return command.kind !== 'FROM' && !LAYER_KINDS.has(command.kind)
}

async function layerStep(
  run: BuildRun,
  stage: Stage,
  state: StageState,
  command: Command,
): Promise<LayerStep | undefined> {
  switch (command.kind) {
    case 'RUN':
      return runStep(run, stage, state, command)
    case 'COPY':
    case 'ADD':
      return copyStep(run, stage, state, command)
    case 'WORKDIR':
      return workdirStep(run, state, command)
    default:
      return undefined
  }
}

/** Takes the step's result from the cache, or executes it and remembers the result. */
export async function takeStep(
  run: BuildRun,
  stage: Stage,
  state: StageState,
  step: LayerStep,
  names: StepNames,
): Promise<void> {
  const { id, name } = names.next(step.title)
  const { progress, session } = run
  try {
    const asked: string[] = []
    const found = run.mayUseCache(stage) ? await findCached(run, step, asked) : undefined
    if (found) {
      progress({ kind: 'step', id, name, state: 'cached' })
      remember(state, step, found)
      return
    }
    await run.limited(async () => {
      run.signal.throwIfAborted()
      progress({ kind: 'step', id, name, state: 'start' })
      const started = session.machine.clock.now()
      const output = (stream: 'stdout' | 'stderr', bytes: Uint8Array) => progress({ kind: 'output', id, stream, bytes })
      const result = await step.execute(output)
      const made: CachedStep = { diffId: result.diffId, created: createdAt(run) }
      await store(run, made, result.keys ?? (await everyKey(step)))
      if (step.mark) await store(run, { created: made.created }, [await step.mark()])
      const seconds = (session.machine.clock.now() - started) / 1000
      progress({ kind: 'step', id, name, state: 'done', seconds })
      remember(state, step, made)
    })
  } catch (error) {
    progress({ kind: 'step', id, name, state: 'failed' })
    throw error
  } finally {
    await step.close?.()
  }
}

async function findCached(run: BuildRun, step: LayerStep, asked: string[]): Promise<CachedStep | undefined> {
  const { machine } = run.session
  if (step.mark && !(await machine.store.buildCache.get(await step.mark()))) return undefined
  for (const key of step.keys) {
    const name = await key()
    const record = await machine.store.buildCache.get<CachedStep>(name)
    if (record && (await hold(run, record.document))) {
      // A dearer key found it: next time the cheap one will.
      if (asked.length > 0) await store(run, record.document, asked)
      return record.document
    }
    asked.push(name)
  }
  return undefined
}

/** False when somebody pruned the layer in this very moment. */
async function hold({ session }: BuildRun, { diffId }: CachedStep): Promise<boolean> {
  if (!diffId) return true
  await session.lease.add('layer', diffId)
  return (await session.machine.store.layers.get(diffId)) !== undefined
}

async function everyKey(step: LayerStep): Promise<string[]> {
  return Promise.all(step.keys.map((key) => key()))
}

/** The record holds the layer for as long as it lives. */
async function store(run: BuildRun, made: CachedStep, keys: readonly string[]): Promise<void> {
  const { machine, lease } = run.session
  const now = machine.clock.now()
  const layer = made.diffId && (await machine.store.layers.get(made.diffId))
  if (made.diffId) await lease.add('layer', made.diffId)
  for (const key of keys) {
    await machine.store.buildCache.put<CachedStep>({
      key,
      layers: made.diffId ? [made.diffId] : [],
      size: layer?.diskSize ?? 0,
      created: now,
      lastUsed: now,
      document: made,
    })
  }
}

function remember(state: StageState, step: LayerStep, { diffId, created }: CachedStep): void {
  if (diffId) recordLayer(state, step.createdBy, diffId, created)
  else recordEmpty(state, step.createdBy)
}

export function createdAt(run: Pick<BuildRun, 'epoch' | 'session'>): string {
  const { epoch, session } = run
  return new Date(epoch === undefined ? session.machine.clock.now() : epoch * 1000).toISOString()
}
