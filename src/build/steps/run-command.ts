import { posix } from 'node:path'
import { withShell } from '../apply-metadata.ts'
import { heredocContent, parseHeredocSign, type RunCommand } from '../dockerfile/index.ts'
import type { StageState } from '../stage-state.ts'

/** What a RUN executes. */
export interface RunLine {
  args: string[]
  /** A script that is put at /dev/pipes/NAME, when the heredoc begins with `#!`. */
  script: { path: string; content: string } | undefined
}

/** The command line of a RUN: shell or exec form, or a heredoc as script, as input of the shell, or inside a line. */
export function runLine(state: StageState, command: RunCommand): RunLine {
  const { line, heredocs } = command
  const [first] = heredocs
  if (line.form === 'exec' || !first) return { args: withShell(state, line), script: undefined }
  if (!parseHeredocSign(line.text)) {
    // More than the heredoc alone: the shell reads line and bodies.
    const bodies = heredocs.map((heredoc) => `\n${heredoc.content}${heredoc.name}`)
    return { args: withShell(state, { form: 'shell', text: line.text + bodies.join('') }), script: undefined }
  }
  const content = heredocContent(first)
  if (!content.startsWith('#!')) return { args: withShell(state, { form: 'shell', text: content }), script: undefined }
  // The name is text of the Dockerfile: `..` in it leads nowhere.
  const path = `/dev/pipes${posix.resolve('/', first.name)}`
  return { args: withShell(state, { form: 'shell', text: path }), script: { path, content } }
}

/** `RUN |1 x=y /bin/sh -c make # buildkit`: the arguments in scope stand in front. */
export function runCreatedBy(state: StageState, args: readonly string[]): string {
  const declared = [...state.declared].map(([name, value]) => `${name}=${state.variables.get(name) ?? value}`)
  const prefix = declared.length > 0 ? [`|${declared.length}`, ...declared] : []
  return `RUN ${[...prefix, ...args].join(' ')} # buildkit`
}
