import { posix } from 'node:path'
import { guarded, lookIn, PROXY_ARGUMENTS } from './build-arguments.ts'
import {
  type ArgCommand,
  type Command,
  type CommandLine,
  expandWord,
  expandWords,
  type Instruction,
  type KeyValueCommand,
} from './dockerfile/index.ts'
import { goHealthcheck, goList, goQuotedList } from './go-format.ts'
import { exposedPorts } from './ports.ts'
import { recordEmpty, type StageState, setEnv } from './stage-state.ts'

/** What ARG needs to know beside the stage. */
export interface ArgumentValues {
  /** `--build-arg`. */
  given: ReadonlyMap<string, string>
  /** ARG before the first FROM, and the platform arguments. */
  globals: ReadonlyMap<string, string>
}

type MetadataCommand = Exclude<Command, { kind: 'FROM' | 'RUN' | 'COPY' | 'ADD' | 'WORKDIR' }>

/** Applies an instruction that makes no layer, and writes its history entry. */
export function applyMetadata(state: StageState, command: MetadataCommand, values: ArgumentValues): void {
  const createdBy = changeConfig(state, command, values)
  if (createdBy !== undefined) recordEmpty(state, createdBy)
}

/** Returns the text for history. */
function changeConfig(state: StageState, command: MetadataCommand, values: ArgumentValues): string | undefined {
  const { config } = state
  const { instruction } = command
  switch (command.kind) {
    case 'ARG':
      return applyArg(state, command, values)
    case 'ENV':
    case 'LABEL':
      return applyPairs(state, command)
    case 'CMD':
      config.Cmd = withShell(state, command.line)
      state.commandIsSet = true
      return `CMD ${goQuotedList(config.Cmd)}`
    case 'ENTRYPOINT':
      config.Entrypoint = withShell(state, command.line)
      if (!state.commandIsSet) delete config.Cmd
      return `ENTRYPOINT ${goQuotedList(config.Entrypoint)}`
    case 'USER':
      config.User = expanded(state, instruction, command.text)
      return `USER ${config.User}`
    case 'STOPSIGNAL':
      config.StopSignal = checkSignal(instruction, expanded(state, instruction, command.text))
      return `STOPSIGNAL ${config.StopSignal}`
    case 'MAINTAINER':
      state.author = command.text
      return `MAINTAINER ${command.text}`
    case 'EXPOSE': {
      const words = command.words.flatMap((word) => expandedWords(state, instruction, word))
      const ports = guarded(instruction, () => words.flatMap(exposedPorts))
      config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) }
      return `EXPOSE ${goList(ports)}`
    }
    case 'VOLUME': {
      const volumes = command.words.map((word) => expanded(state, instruction, word))
      config.Volumes = { ...config.Volumes, ...Object.fromEntries(volumes.map((path) => [path, {}])) }
      return `VOLUME ${goList(volumes)}`
    }
    case 'SHELL':
      config.Shell = command.words
      return `SHELL ${goList(command.words)}`
    case 'HEALTHCHECK':
      config.Healthcheck = command.healthcheck
      return `HEALTHCHECK ${goHealthcheck(command.healthcheck)}`
    case 'ONBUILD':
      config.OnBuild = [...(config.OnBuild ?? []), command.trigger]
      // It shows in the config only, as in BuildKit.
      return undefined
  }
}

/** WORKDIR's part of the config: the absolute path, which is also in the history. */
export function applyWorkdir(state: StageState, text: string, instruction: Instruction): string {
  const path = expanded(state, instruction, text)
  const directory = posix.resolve('/', state.config.WorkingDir ?? '/', path)
  state.config.WorkingDir = directory
  return directory
}

/** The shell form gets the shell in front. */
export function withShell(state: StageState, line: CommandLine): string[] {
  if (line.form === 'exec') return [...line.words]
  return [...(state.config.Shell ?? ['/bin/sh', '-c']), line.text]
}

export function expanded(state: StageState, instruction: Instruction, text: string): string {
  return guarded(
    instruction,
    () => expandWord(text, lookIn(state.variables), { escape: instruction.escapeCharacter }).text,
  )
}

export function expandedWords(state: StageState, instruction: Instruction, text: string): string[] {
  return guarded(instruction, () => expandWords(text, lookIn(state.variables), { escape: instruction.escapeCharacter }))
}

function applyPairs(state: StageState, command: KeyValueCommand): string {
  // All values see the variables from before the instruction: ENV a=b c=$a uses the old a.
  const pairs = command.pairs.map(({ name, value }) => ({
    name: expanded(state, command.instruction, name),
    value: expanded(state, command.instruction, value),
  }))
  for (const { name, value } of pairs) {
    if (command.kind === 'ENV') setEnv(state, name, value)
    else state.config.Labels = { ...state.config.Labels, [name]: value }
  }
  return `${command.kind} ${pairs.map(({ name, value }) => `${name}=${value}`).join(' ')}`
}

function applyArg(state: StageState, command: ArgCommand, { given, globals }: ArgumentValues): string {
  const written = command.arguments.map(({ name, value }) => {
    const standard = () => (value === undefined ? globals.get(name) : expanded(state, command.instruction, value))
    const result = given.get(name) ?? standard()
    if (result !== undefined) state.variables.set(name, result)
    state.declared.set(name, result ?? '')
    return result === undefined ? name : `${name}=${result}`
  })
  return `ARG ${written.join(' ')}`
}

const SIGNALS =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'
const NAMED_SIGNALS = new Set(SIGNALS.split(' '))

function checkSignal(instruction: Instruction, text: string): string {
  const name = text.toUpperCase().replace(/^SIG/, '')
  const isNumber = /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 64
  if (isNumber || NAMED_SIGNALS.has(name) || /^RTM(?:IN(?:\+\d{1,2})?|AX(?:-\d{1,2})?)$/.test(name)) return text
  return guarded(instruction, () => {
    throw new Error(`invalid signal: ${text}`)
  })
}

/** Environment of a RUN: what ENV set, then arguments; proxies given without ARG come last and are in no key. */
export function runEnvironment(
  state: StageState,
  given: ReadonlyMap<string, string>,
): { env: string[]; proxies: string[] } {
  const env = [...state.variables].map(([name, value]) => `${name}=${value}`)
  const proxies = [...given]
    .filter(([name]) => PROXY_ARGUMENTS.has(name) && !state.variables.has(name))
    .map(([name, value]) => `${name}=${value}`)
  return { env, proxies }
}
