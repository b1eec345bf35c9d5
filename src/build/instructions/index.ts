/**
 * instructions: what each instruction of a Dockerfile means. Promises: pure functions from an instruction and the stage
 * before it to the stage after it, its entry in the history (in BuildKit's words) and the work on files that it asks for, as
 * plain data; mistakes show the word. Does not: know other stages, images or files.
 */
export { applyChanges } from './apply-changes.ts'
export type { ArgCommand } from './arg.ts'
export { createExpander, type Expander } from './expander.ts'
export { type FileModeChange, parseChmod } from './file-mode.ts'
export type { FromCommand } from './from.ts'
export { goQuoted } from './go-format.ts'
export type { BuildScope } from './instruction-type.ts'
export { type MountOption, secretId } from './mount-option.ts'
export { parseCommand, planCommand } from './plan-command.ts'
export {
  fillCreated,
  type HistoryEntry,
  recordEmpty,
  recordStep,
  type StageState,
  stateOfImage,
  stateOfStage,
  withConfig,
  withoutConfig,
} from './stage-state.ts'
export type { Command, StageCommand } from './table.ts'
export { stepTitle } from './title.ts'
export type { CopyDefinition, Destination, RunDefinition, RunMount, Work, WorkdirDefinition } from './work.ts'
