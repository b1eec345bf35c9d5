import { posix } from 'node:path'
import { BaleError } from '#base'
import {
  type Heredoc,
  heredocContent,
  type Instruction,
  inWord,
  parseHeredocSign,
  readFlags,
} from '../dockerfile/index.ts'
import { type CommandLine, commandLine, withShell } from './command-line.ts'
import { required, wrong } from './grammar.ts'
import type { BuildScope, InstructionType } from './instruction-type.ts'
import { type MountOption, parseMount } from './mount-option.ts'
import type { StageState } from './stage-state.ts'
import type { RunDefinition, RunMount } from './work.ts'

export interface RunCommand {
  kind: 'RUN'
  instruction: Instruction
  line: CommandLine
  heredocs: readonly Heredoc[]
  /** Values of `--mount`, parsed after expansion. */
  mounts: string[]
  network: 'default' | 'none' | 'host'
  security: 'sandbox' | 'insecure'
}

export const run: InstructionType<RunCommand> = {
  parse(instruction) {
    const flags = readFlags(instruction)
    const mounts = flags.list('mount')
    const network = flags.text('network') ?? 'default'
    const security = flags.text('security') ?? 'sandbox'
    flags.unsupported('device', 'host devices are not available to build steps')
    flags.finish()
    if (network !== 'default' && network !== 'none' && network !== 'host') {
      throw wrong(instruction, `unsupported network ${JSON.stringify(network)}`, {
        hint: '--network must be default, none or host',
      })
    }
    if (security !== 'sandbox' && security !== 'insecure') {
      throw wrong(instruction, `unsupported security ${JSON.stringify(security)}`, { hint: '--security is sandbox' })
    }
    if (!instruction.json) required(instruction)
    else if (instruction.json.length === 0) throw wrong(instruction, 'RUN requires at least one argument')
    const { heredocs } = instruction
    return { kind: 'RUN', instruction, line: commandLine(instruction), heredocs, mounts, network, security }
  },
  plan(command, { state, words, scope }) {
    const line = runLine(state, command)
    const insecure = command.security === 'insecure'
    if (insecure) permit(scope, 'security.insecure')
    const options = command.mounts.map((text) => inWord(text, () => parseMount(text, (value) => words.text(value))))
    const { mounts, sources } = withInputs(options)
    const definition: RunDefinition = {
      ...line,
      env: [...state.variables].map(([name, value]) => `${name}=${value}`),
      cwd: state.config.WorkingDir || '/',
      user: state.config.User ?? '',
      network: networkOf(command, scope),
      insecure,
      mounts,
    }
    return { state, createdBy: createdBy(state, line.args), work: { operation: 'run', definition, sources } }
  },
}

/** The sources that the mounts read, each once. */
function withInputs(options: readonly MountOption[]): { mounts: RunMount[]; sources: (string | undefined)[] } {
  const sources: (string | undefined)[] = []
  const mounts = options.map((option): RunMount => {
    const reads = option.type === 'bind' || (option.type === 'cache' && option.from !== undefined)
    if (!reads) return { option }
    if (!sources.includes(option.from)) sources.push(option.from)
    return { option, input: sources.indexOf(option.from) }
  })
  return { mounts, sources }
}

function networkOf(command: RunCommand, scope: BuildScope): RunDefinition['network'] {
  if (command.network === 'default') return scope.network
  if (command.network === 'host' && scope.network !== 'host') permit(scope, 'network.host')
  return command.network
}

/** What weakens the walls around a step needs a word on the command line (B03). */
function permit({ allowed }: BuildScope, entitlement: string): void {
  if (allowed.has(entitlement)) return
  throw new BaleError('DOCKERFILE_INVALID', `${entitlement} is not allowed`, {
    next: { act: 'allow', entitlement },
  })
}

/** The command line of a RUN: shell or exec form, or a heredoc as script, as input of the shell, or inside a line. */
function runLine(state: StageState, command: RunCommand): Pick<RunDefinition, 'args' | 'script'> {
  const { line, heredocs } = command
  const [first] = heredocs
  if (line.form === 'exec' || !first) return { args: withShell(state, line) }
  if (!parseHeredocSign(line.text)) {
    // More than the heredoc alone: the shell reads line and bodies.
    const bodies = heredocs.map((heredoc) => `\n${heredoc.content}${heredoc.name}`)
    return { args: withShell(state, { form: 'shell', text: line.text + bodies.join('') }) }
  }
  const content = heredocContent(first)
  if (!content.startsWith('#!')) return { args: withShell(state, { form: 'shell', text: content }) }
  // The name is text of the Dockerfile: `..` in it leads nowhere.
  const path = `/dev/pipes${posix.resolve('/', first.name)}`
  return { args: withShell(state, { form: 'shell', text: path }), script: { path, content } }
}

/** `RUN |1 x=y /bin/sh -c make # buildkit`: preceded by the arguments in scope. */
function createdBy(state: StageState, args: readonly string[]): string {
  const declared = [...state.declared].map(([name, value]) => `${name}=${state.variables.get(name) ?? value}`)
  const prefix = declared.length > 0 ? [`|${declared.length}`, ...declared] : []
  return `RUN ${[...prefix, ...args].join(' ')} # buildkit`
}
