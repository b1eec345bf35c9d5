import { isBaleError } from '#base'
import { parsePlatform, parseReference } from '#spec'
import { expandWord, explainAt, type Instruction, Mistake } from '../dockerfile/index.ts'
import { evaluateGlobals, type PlanScope, predefinedArguments, type Stage } from '../graph/index.ts'
import type { Checker } from './checker.ts'
import { commentsAbove, linesOf, writtenKeyword } from './place.ts'
import { suggestion } from './suggestion.ts'

/** Checks what all stages are like together, and each FROM; also of stages that the build does not need. */
export function checkStages(scope: PlanScope, checker: Checker): void {
  checkNames(scope.plan.stages, checker)
  checkInstructionCasing(scope.plan.stages, checker)
  checkDefaults(scope, checker)
  for (const stage of scope.plan.stages) {
    const { instruction } = stage.from
    checkFrom(scope, stage, checker.under(commentsAbove(scope.plan.dockerfile, instruction)))
  }
}

function checkNames(stages: readonly Stage[], checker: Checker): void {
  const seen = new Set<string>()
  for (const { name, from } of stages) {
    if (name === undefined) continue
    const lines = linesOf(from.instruction)
    if (name === 'scratch' || name === 'context') checker.report('ReservedStageName', lines, name)
    if (seen.has(name)) checker.report('DuplicateStageName', lines, name)
    seen.add(name)
  }
}

function checkInstructionCasing(stages: readonly Stage[], checker: Checker): void {
  const instructions = stages.flatMap(({ from, commands }) => [from, ...commands].map((one) => one.instruction))
  const keywords = instructions.map(writtenKeyword)
  const lower = keywords.filter((keyword) => keyword === keyword.toLowerCase()).length
  const upper = keywords.filter((keyword) => keyword === keyword.toUpperCase()).length
  const isLower = lower > upper
  for (const instruction of instructions) {
    const keyword = writtenKeyword(instruction)
    if (keyword === (isLower ? keyword.toLowerCase() : keyword.toUpperCase())) continue
    const casing = isLower ? 'lowercase' : 'uppercase'
    checker.report('ConsistentInstructionCasing', linesOf(instruction), keyword, casing)
  }
}

/** The base images as they would be without any build argument. */
function checkDefaults({ plan, platform }: PlanScope, checker: Checker): void {
  let defaults: ReadonlyMap<string, string>
  try {
    defaults = evaluateGlobals(plan, new Map(), predefinedArguments(platform, platform, undefined))
    for (const { from } of plan.stages) {
      const { text } = matched(from.instruction, from.image, defaults)
      if (!isImageName(text)) checker.report('InvalidDefaultArgInFrom', linesOf(from.instruction), from.image)
    }
  } catch (error) {
    // A mandatory argument has no default to check.
    if (!(error instanceof Mistake) && !isBaleError(error, 'DOCKERFILE_INVALID')) throw error
  }
}

function isImageName(text: string): boolean {
  try {
    parseReference(text)
    return true
  } catch (error) {
    if (isBaleError(error, 'INVALID_REFERENCE')) return false
    throw error
  }
}

function checkFrom({ globals, plan }: PlanScope, stage: Stage, checker: Checker): void {
  const { instruction, image, platform } = stage.from
  const lines = linesOf(instruction)
  const declared = [...globals.keys(), ...plan.globals.flatMap((arg) => arg.arguments.map(({ name }) => name))]
  const reportUnknown = (names: Iterable<string>) => {
    for (const name of names) {
      if (!declared.includes(name)) checker.report('UndefinedArgInFrom', lines, name, suggestion(name, declared))
    }
  }
  reportUnknown(matched(instruction, image, globals).missing)
  if (platform === undefined) return
  const { text, used, missing } = matched(instruction, platform, globals)
  reportUnknown(missing)
  const isTarget = used.size === 1 && missing.size === 0 && used.has('TARGETPLATFORM')
  if (isTarget && text === globals.get('TARGETPLATFORM')) checker.report('RedundantTargetPlatform', lines, platform)
  if (used.size === 0 && missing.size === 0 && isConstant(text, stage.name ?? '')) {
    checker.report('FromPlatformFlagConstDisallowed', lines, text)
  }
}

/** A stage that is named after the platform is meant for it. */
function isConstant(text: string, stageName: string): boolean {
  try {
    const { os, architecture } = parsePlatform(text)
    return !stageName.includes(os) && !stageName.includes(architecture)
  } catch (error) {
    // The build fails with it.
    if (isBaleError(error, 'INVALID_PLATFORM')) return false
    throw error
  }
}

/** A word of FROM, which must be one also where no build needs the stage. Throws DOCKERFILE_INVALID. */
function matched(instruction: Instruction, word: string, values: ReadonlyMap<string, string>) {
  const used = new Set<string>()
  const lookUp = (name: string) => {
    const value = values.get(name)
    if (value !== undefined) used.add(name)
    return value
  }
  try {
    return { ...expandWord(word, lookUp, { escape: instruction.escapeCharacter }), used }
  } catch (error) {
    throw explainAt(instruction)(error)
  }
}
