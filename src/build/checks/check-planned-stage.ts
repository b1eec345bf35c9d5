import { posix } from 'node:path'
import { createPatternSet } from '../context/index.ts'
import type { Dockerfile } from '../dockerfile/index.ts'
import type { PlannedCommand, PlannedStage } from '../graph/index.ts'
import { createExpander, type StageCommand } from '../instructions/index.ts'
import type { Checker } from './checker.ts'
import { commentsAbove, linesOf, writtenKeyword } from './place.ts'
import { suggestion } from './suggestion.ts'

interface StageChecks {
  dockerfile: Dockerfile
  /** Patterns of the context's .dockerignore. */
  ignore: readonly string[]
  checker: Checker
}

/** Checks the instructions of a stage that is planned: what they see of it, and what they make of it. */
export function checkPlannedStage({ commands }: PlannedStage, { dockerfile, ignore, checker }: StageChecks): void {
  const last = new Map<string, StageCommand>()
  for (const planned of commands) {
    const { command } = planned
    const own = checker.under(commentsAbove(dockerfile, command.instruction))
    const previous = last.get(command.kind)
    checkVariables(planned, own)
    checkNames(command, own)
    checkCommandLine(planned, previous, own)
    checkWorkdir(planned, own)
    checkPorts(planned, own)
    checkIgnored(planned, ignore, own)
    last.set(command.kind, command)
  }
}

/** Arguments of the builder itself, which are no variables. */
const BUILDER_ARGUMENTS = ['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE']

function checkVariables({ command, before, unset }: PlannedCommand, checker: Checker): void {
  // docker's check ignores the arguments of EXPOSE.
  if (command.kind === 'EXPOSE') return
  const declared = new Set([...before.declared.keys(), ...BUILDER_ARGUMENTS])
  for (const { name, word } of unset) {
    if (command.kind === 'ARG') for (const one of argumentsBefore(command, word)) declared.add(one)
    if (declared.has(name)) continue
    const meant = suggestion(name, [...before.variables.keys()])
    checker.report('UndefinedVar', linesOf(command.instruction), name, meant)
  }
}

/** Names that the same ARG declares in front of a default. */
function argumentsBefore({ arguments: declared }: Extract<StageCommand, { kind: 'ARG' }>, value: string): string[] {
  const index = declared.findIndex((one) => one.value === value)
  return declared.slice(0, index).map(({ name }) => name)
}

/** A whole name, or its first or last word, that suggests a secret; and what rules that out. */
const SECRET = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i
const HARMLESS = /(?:_|^)(?:public|file|version)(?:_|$)/i

function checkNames(command: StageCommand, checker: Checker): void {
  const lines = linesOf(command.instruction)
  if (command.kind === 'ENV' || command.kind === 'LABEL') {
    if (command.isLegacy) checker.report('LegacyKeyValueFormat', lines, writtenKeyword(command.instruction))
  }
  if (command.kind !== 'ENV' && command.kind !== 'ARG') return
  for (const { name } of command.kind === 'ENV' ? command.pairs : command.arguments) {
    if (SECRET.test(name) && !HARMLESS.test(name)) checker.report('SecretsUsedInArgOrEnv', lines, command.kind, name)
  }
}

const USED_ONCE = ['CMD', 'ENTRYPOINT', 'HEALTHCHECK']

function checkCommandLine(
  { command, before }: PlannedCommand,
  previous: StageCommand | undefined,
  checker: Checker,
): void {
  const keyword = writtenKeyword(command.instruction)
  // It is the one before that is not used.
  if (previous && USED_ONCE.includes(command.kind)) {
    checker.report('MultipleInstructionsDisallowed', linesOf(previous.instruction), keyword)
  }
  if (command.kind !== 'CMD' && command.kind !== 'ENTRYPOINT') return
  if (command.line.form === 'exec' || (before.config.Shell ?? []).length > 0) return
  checker.report('JSONArgsRecommended', linesOf(command.instruction), keyword)
}

/** Only the first one: after an absolute one, later ones are certain. That of a base image may change. */
function checkWorkdir({ command, before }: PlannedCommand, checker: Checker): void {
  if (command.kind !== 'WORKDIR' || before.workdirIsSet) return
  const directory = createExpander(command.instruction, before.variables).text(command.text)
  if (!posix.isAbsolute(directory)) checker.report('WorkdirRelativePath', linesOf(command.instruction), directory)
}

function checkPorts({ command, before }: PlannedCommand, checker: Checker): void {
  if (command.kind !== 'EXPOSE') return
  const words = createExpander(command.instruction, before.variables)
  const lines = linesOf(command.instruction)
  for (const port of command.words.flatMap((word) => words.list(word))) {
    const protocol = /\/(.*)$/.exec(port)?.[1] ?? ''
    if (protocol !== protocol.toLowerCase()) checker.report('ExposeProtoCasing', lines, port)
    if (port.includes(':')) checker.report('ExposeInvalidFormat', lines, port)
  }
}

/** Patterns that leave nothing of the context. */
const EVERYTHING = ['*', '**', '**/*']

/** Exceptions make it hard to say what a directory contains: with one, nothing is checked. */
function checkIgnored({ command, work }: PlannedCommand, ignore: readonly string[], checker: Checker): void {
  if (work?.operation !== 'copy' || ignore.length === 0 || ignore.some((pattern) => pattern.startsWith('!'))) return
  const { isFrom, sources, kind } = work.definition
  if (isFrom) return
  const patterns = createPatternSet(ignore)
  for (const source of sources.filter((one) => !/^https?:\/\//.test(one))) {
    const path = posix.normalize(source).replace(/(.)\/$/, '$1')
    const isRoot = path === '.' || path === '/'
    const ignored = isRoot ? ignore.some((pattern) => EVERYTHING.includes(pattern)) : patterns.matches(path)
    const act = kind === 'ADD' ? 'Add' : 'Copy'
    if (ignored) checker.report('CopyIgnoredFile', linesOf(command.instruction), act, path)
  }
}
