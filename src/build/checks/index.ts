/**
 * checks: BuildKit's build checks. Promises: its rules, names, messages and options; a finding names its lines. Pure. Does
 * not: print, or decide what a finding means for the build.
 */
export { checkInstruction } from './check-instructions.ts'
export { checkPlannedStage } from './check-planned-stage.ts'
export { checkStages } from './check-stages.ts'
export { checkOptionsOf, createChecker, type Finding } from './checker.ts'
export { linesOf } from './place.ts'
