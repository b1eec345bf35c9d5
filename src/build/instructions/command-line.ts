import type { Instruction } from '../dockerfile/index.ts'
import type { StageState } from './stage-state.ts'

/** A command line in shell form (one text for the shell) or exec form. */
export type CommandLine = { form: 'shell'; text: string } | { form: 'exec'; words: readonly string[] }

export function commandLine(instruction: Instruction): CommandLine {
  return instruction.json ? { form: 'exec', words: instruction.json } : { form: 'shell', text: instruction.argument }
}

/** The shell form gets the shell in front. */
export function withShell(state: StageState, line: CommandLine): string[] {
  if (line.form === 'exec') return [...line.words]
  return [...(state.config.Shell ?? ['/bin/sh', '-c']), line.text]
}
