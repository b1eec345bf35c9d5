/**
 * graph: what a build does, as data. Promises: a Dockerfile, the build's arguments and the configuration behind each FROM
 * become nodes with operation, inputs, definition and platform, plain data that JSON keeps whole; `solve` does what a target
 * needs, each node once, independent ones at the same time. Does not: know how an operation is done (it is given runners),
 * where results are kept (it is given a cache), or the machine.
 */
export { evaluateGlobals, PROXY_ARGUMENTS, predefinedArguments, unusedArguments } from './build-arguments.ts'
export { checkBuildContexts } from './choose-base.ts'
export { type FoundImage, type GrowingGraph, growGraph } from './grow-graph.ts'
export { type GraphNode, isStep, type NodeId, type StepNode, type StepOf } from './node.ts'
export type { PlanScope } from './plan-scope.ts'
export type { PlannedCommand, PlannedStage } from './plan-stage.ts'
export { solve } from './solve.ts'
export { planStages, type Stage, targetStage } from './stages.ts'
export type { Files, OpenFiles, Runners, Solution, Step, StepCache, TakenStep } from './step.ts'
