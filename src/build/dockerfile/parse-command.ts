import { parseDuration } from '#docker'
import type { Command, CommandLine, CopyCommand, FromCommand, HealthcheckCommand, RunCommand } from './command.ts'
import { readFlags } from './flag-reader.ts'
import { parseHeredocSign } from './heredoc.ts'
import type { Heredoc, Instruction } from './instruction.ts'
import { positionIn } from './logical-line.ts'
import { dockerfileError } from './source.ts'
import { parseKeyValues, splitQuotedWords } from './words.ts'

/** Understands one instruction. Throws DOCKERFILE_INVALID at the place that is wrong; an unknown flag is refused by name. */
export function parseCommand(instruction: Instruction): Command {
  const { keyword } = instruction
  switch (keyword) {
    case 'FROM':
      return parseFrom(instruction)
    case 'RUN':
      return parseRun(instruction)
    case 'COPY':
    case 'ADD':
      return parseCopy(instruction, keyword)
    case 'HEALTHCHECK':
      return parseHealthcheck(instruction)
    case 'ONBUILD':
      return parseOnbuild(instruction)
    default:
      readFlags(instruction).finish()
  }
  switch (keyword) {
    case 'ARG':
      return { kind: keyword, instruction, arguments: parseArguments(instruction) }
    case 'ENV':
    case 'LABEL':
      try {
        return {
          kind: keyword,
          instruction,
          pairs: parseKeyValues(instruction.argument, keyword, instruction.escapeCharacter),
        }
      } catch (error) {
        throw wrong(instruction, (error as Error).message)
      }
    case 'CMD':
    case 'ENTRYPOINT':
      return { kind: keyword, instruction, line: commandLine(instruction) }
    case 'WORKDIR':
    case 'USER':
    case 'STOPSIGNAL':
    case 'MAINTAINER':
      return { kind: keyword, instruction, text: required(instruction) }
    case 'EXPOSE':
      return { kind: keyword, instruction, words: required(instruction).split(/\s+/).sort() }
    case 'VOLUME':
      return { kind: keyword, instruction, words: parseVolumes(instruction) }
    case 'SHELL':
      if (!instruction.json) throw wrong(instruction, 'SHELL requires the arguments to be in JSON form')
      if (instruction.json.length === 0) throw wrong(instruction, 'SHELL requires at least one argument')
      return { kind: keyword, instruction, words: [...instruction.json] }
  }
}

function wrong(instruction: Instruction, message: string, options: { hint?: string; offset?: number } = {}) {
  const offset = options.offset ?? (instruction.argument === '' ? 0 : instruction.argumentOffset)
  const position = offset === 0 ? instruction.range.start : positionIn(instruction.line, offset)
  return dockerfileError(instruction.source, position, message, { hint: options.hint })
}

function required(instruction: Instruction): string {
  if (instruction.argument === '') throw wrong(instruction, `${instruction.keyword} requires at least one argument`)
  return instruction.argument
}

function commandLine(instruction: Instruction): CommandLine {
  return instruction.json ? { form: 'exec', words: instruction.json } : { form: 'shell', text: instruction.argument }
}

function parseArguments(instruction: Instruction) {
  return splitQuotedWords(required(instruction), instruction.escapeCharacter).map((word) => {
    const equals = word.indexOf('=')
    if (equals === 0) throw wrong(instruction, 'ARG names can not be blank')
    return equals < 0
      ? { name: word, value: undefined }
      : { name: word.slice(0, equals), value: word.slice(equals + 1) }
  })
}

function parseVolumes(instruction: Instruction): string[] {
  const words = instruction.json ? [...instruction.json] : required(instruction).split(/\s+/)
  if (words.length === 0) throw wrong(instruction, 'VOLUME requires at least one argument')
  if (words.some((word) => word.trim() === '')) throw wrong(instruction, 'VOLUME specified can not be an empty string')
  return words.map((word) => word.trim())
}

function parseFrom(instruction: Instruction): FromCommand {
  const flags = readFlags(instruction)
  const platform = flags.text('platform')
  flags.finish()
  const words = instruction.argument.split(/\s+/).filter((word) => word !== '')
  const isNamed = words.length === 3 && words[1]!.toLowerCase() === 'as'
  if (words.length !== 1 && !isNamed) {
    throw wrong(instruction, 'FROM requires either one or three arguments', {
      hint: 'FROM IMAGE or FROM IMAGE AS NAME',
    })
  }
  const stageName = words[2]?.toLowerCase()
  if (stageName !== undefined && !/^[a-z][a-z0-9\-_.]*$/.test(stageName)) {
    throw wrong(instruction, `invalid name for build stage: ${JSON.stringify(words[2])}`, {
      hint: "a name begins with a letter and holds letters, digits, '-', '_' and '.'",
    })
  }
  if (stageName === 'scratch' || stageName === 'context') {
    throw wrong(instruction, `the stage name ${stageName} is reserved`)
  }
  return { kind: 'FROM', instruction, image: words[0]!, stageName, platform }
}

function parseRun(instruction: Instruction): RunCommand {
  const flags = readFlags(instruction)
  const mounts = flags.list('mount')
  const network = flags.text('network') ?? 'default'
  const security = flags.text('security') ?? 'sandbox'
  flags.unsupported('device', 'devices of the host cannot be given to a build step')
  flags.finish()
  if (network !== 'default' && network !== 'none' && network !== 'host') {
    throw wrong(instruction, `unsupported network ${JSON.stringify(network)}`, {
      hint: '--network is default, none or host',
    })
  }
  if (security !== 'sandbox' && security !== 'insecure') {
    throw wrong(instruction, `unsupported security ${JSON.stringify(security)}`, { hint: '--security is sandbox' })
  }
  if (!instruction.json) required(instruction)
  else if (instruction.json.length === 0) throw wrong(instruction, 'RUN requires at least one argument')
  const { heredocs } = instruction
  return { kind: 'RUN', instruction, line: commandLine(instruction), heredocs, mounts, network, security }
}

function parseCopy(instruction: Instruction, kind: 'COPY' | 'ADD'): CopyCommand {
  const flags = readFlags(instruction)
  const chown = flags.text('chown')
  const chmod = flags.text('chmod')
  const link = flags.boolean('link') ?? false
  const excludes = flags.list('exclude')
  const from = kind === 'COPY' ? flags.text('from') : undefined
  const parents = kind === 'COPY' ? (flags.boolean('parents') ?? false) : false
  const checksum = kind === 'ADD' ? flags.text('checksum') : undefined
  const unpack = kind === 'ADD' ? flags.boolean('unpack') : undefined
  if (kind === 'ADD') {
    flags.unsupported(
      'keep-git-dir',
      'bale does not add from git repositories yet; clone beforehand and COPY the directory',
    )
  }
  flags.finish()

  const words = instruction.json
    ? [...instruction.json]
    : instruction.argument.split(/\s+/).filter((word) => word !== '')
  if (words.length < 2) {
    throw wrong(instruction, `${kind} requires at least two arguments: the destination could not be determined`, {
      hint: `${kind} SOURCE… DESTINATION`,
    })
  }
  const destination = words.pop()!
  const signOf = (word: string) => (instruction.json ? undefined : parseHeredocSign(word))
  if (signOf(destination)) throw wrong(instruction, `${kind} cannot accept a heredoc as a destination`)
  if (words.includes('<<') || words.includes('<<-')) {
    throw wrong(instruction, 'the name of a heredoc must follow << without a blank')
  }
  const files: Heredoc[] = []
  const sources = words.filter((word) => {
    const sign = signOf(word)
    const heredoc = sign && instruction.heredocs.find((one) => one.name === sign.name)
    if (heredoc) files.push(heredoc)
    return !heredoc
  })
  if (from?.includes('$')) {
    throw wrong(instruction, 'variable expansion is not supported for --from', {
      hint: `define a stage with FROM ${from} AS NAME, which does expand variables, and use --from=NAME`,
    })
  }
  if (checksum !== undefined && (sources.length !== 1 || !/^https?:\/\//.test(sources[0]!))) {
    throw wrong(instruction, '--checksum requires one http or https source')
  }
  return {
    ...{ kind, instruction, sources, files, destination, from, chown, chmod, link, parents, excludes, checksum },
    unpack,
  }
}

const SMALLEST_INTERVAL = 1_000_000

function parseHealthcheck(instruction: Instruction): HealthcheckCommand {
  const match = /^(\S+)\s*([\s\S]*)$/.exec(required(instruction))!
  const type = match[1]!.toUpperCase()
  const flags = readFlags(instruction)
  if (type === 'NONE') {
    flags.finish()
    if (match[2] !== '') throw wrong(instruction, 'HEALTHCHECK NONE takes no arguments')
    return { kind: 'HEALTHCHECK', instruction, healthcheck: { Test: ['NONE'] } }
  }
  const interval = (name: string): number | undefined => {
    const text = flags.text(name)
    if (!text) return undefined
    const value = parseDuration(text)
    if (value === undefined) {
      throw wrong(instruction, `--${name}: invalid duration ${JSON.stringify(text)}`, {
        hint: 'write 30s, 1m30s or 500ms',
      })
    }
    if (value !== 0 && value < SMALLEST_INTERVAL) throw wrong(instruction, `--${name} cannot be less than 1ms`)
    return value || undefined
  }
  const times = {
    Interval: interval('interval'),
    Timeout: interval('timeout'),
    StartPeriod: interval('start-period'),
    StartInterval: interval('start-interval'),
  }
  const retries = flags.text('retries')
  flags.finish()
  if (type !== 'CMD') throw wrong(instruction, `unknown type ${JSON.stringify(match[1])} in HEALTHCHECK (try CMD)`)
  if (match[2] === '' || instruction.json?.length === 0)
    throw wrong(instruction, 'missing command after HEALTHCHECK CMD')
  if (retries !== undefined && !/^\d{1,9}$/.test(retries)) {
    throw wrong(instruction, `--retries must be a number from 0 on, not ${JSON.stringify(retries)}`)
  }
  const Test = instruction.json ? ['CMD', ...instruction.json] : ['CMD-SHELL', match[2]!]
  const set = Object.entries({ ...times, Retries: Number(retries ?? 0) || undefined }).filter(([, value]) => value)
  return { kind: 'HEALTHCHECK', instruction, healthcheck: { Test, ...Object.fromEntries(set) } }
}

function parseOnbuild(instruction: Instruction): Command {
  readFlags(instruction).finish()
  required(instruction)
  const { trigger } = instruction
  if (trigger?.keyword === 'ONBUILD') throw wrong(instruction, 'chaining ONBUILD via ONBUILD ONBUILD is not allowed')
  if (trigger?.keyword === 'FROM' || trigger?.keyword === 'MAINTAINER') {
    throw wrong(instruction, `${trigger.keyword} is not allowed as an ONBUILD trigger`)
  }
  // Understood now, so that a mistake shows here and not in a later build.
  if (trigger) parseCommand(trigger)
  const bodies = instruction.heredocs.map((heredoc) => `\n${heredoc.content}${heredoc.name}`)
  return { kind: 'ONBUILD', instruction, trigger: instruction.argument + bodies.join('') }
}
