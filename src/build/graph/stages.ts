import { BaleError, nearest } from '#base'
import { type Dockerfile, dockerfileError } from '../dockerfile/index.ts'
import {
  type ArgCommand,
  type Command,
  type FromCommand,
  parseCommand,
  type StageCommand,
} from '../instructions/index.ts'

/** One FROM with what follows it. */
export interface Stage {
  index: number
  name: string | undefined
  from: FromCommand
  commands: readonly StageCommand[]
}

export interface StagePlan {
  dockerfile: Dockerfile
  /** ARG before the first FROM. */
  globals: readonly ArgCommand[]
  stages: readonly Stage[]
}

/**
 * Groups instructions into stages, and parses all of them, also those of unneeded stages. `seen` is given each
 * that is understood, also when a later one is wrong.
 */
export function planStages(dockerfile: Dockerfile, seen: (command: Command) => void = () => undefined): StagePlan {
  const globals: ArgCommand[] = []
  const stages: (Stage & { commands: StageCommand[] })[] = []
  for (const instruction of dockerfile.instructions) {
    const command = parseCommand(instruction)
    seen(command)
    const stage = stages.at(-1)
    if (command.kind === 'FROM') {
      stages.push({ index: stages.length, name: command.stageName, from: command, commands: [] })
    } else if (stage) stage.commands.push(command)
    else if (command.kind === 'ARG') globals.push(command)
    else {
      throw dockerfileError(instruction.source, instruction.range.start, 'no build stage in current context', {
        hint: 'only ARG and comments may precede the first FROM',
      })
    }
  }
  if (stages.length === 0) {
    throw new BaleError('DOCKERFILE_INVALID', `${dockerfile.source.name} has no FROM`, {
      hint: 'a Dockerfile begins with FROM IMAGE',
      details: { file: dockerfile.source.name, line: 1 },
    })
  }
  return { dockerfile, globals, stages }
}

/** The stage to build: the named one, or the last. */
export function targetStage(plan: StagePlan, target: string | undefined): Stage {
  if (target === undefined || target === '') return plan.stages.at(-1)!
  const wanted = target.toLowerCase()
  const found = plan.stages.findLast((stage) => stage.name === wanted)
  if (found) return found
  const names = plan.stages.flatMap((stage) => stage.name ?? [])
  const meant = nearest(wanted, names)
  throw new BaleError('INVALID_ARGUMENT', `target stage ${JSON.stringify(target)} could not be found`, {
    hint: meant
      ? `did you mean ${meant}?`
      : names.length
        ? `stages are ${names.join(', ')}`
        : 'no stage has a name: write FROM … AS NAME',
  })
}

/** The stage that `FROM name` means: one above this one. Undefined: it is the name of an image. */
export function earlierStage(plan: StagePlan, name: string, before: number): Stage | undefined {
  return plan.stages.slice(0, before).findLast((stage) => stage.name === name.toLowerCase())
}

/**
 * The stage that `--from=name` or `--from=0` means: one above this one. Undefined: it is the name of an image. A number that
 * is not a stage, and a later stage, are errors.
 */
export function sourceStage(plan: StagePlan, name: string, before: number): Stage | undefined {
  const isNumber = /^\d+$/.test(name)
  const found = isNumber ? plan.stages.slice(0, before)[Number(name)] : earlierStage(plan, name, before)
  if (found) return found
  if (isNumber) throw new BaleError('DOCKERFILE_INVALID', `there is no stage ${name} above this one`)
  const below = plan.stages.find((stage) => stage.name === name.toLowerCase())
  if (!below) return undefined
  throw new BaleError('DOCKERFILE_INVALID', `the stage ${below.name} is this one or comes after it`, {
    hint: 'only earlier stages can be used; move it up',
  })
}
