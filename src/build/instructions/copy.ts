import { posix } from 'node:path'
import { isUrl } from '#base'
import {
  type Heredoc,
  heredocContent,
  type Instruction,
  inWord,
  Mistake,
  parseHeredocSign,
  readFlags,
} from '../dockerfile/index.ts'
import { refuseGit, shownSource } from './added-source.ts'
import { parseChmod } from './file-mode.ts'
import { bareWords, wrong } from './grammar.ts'
import type { InstructionType, Planned, PlanView } from './instruction-type.ts'
import type { CopyDefinition } from './work.ts'

/** COPY and ADD. */
export interface CopyCommand<Kind extends 'COPY' | 'ADD' = 'COPY' | 'ADD'> {
  kind: Kind
  instruction: Instruction
  sources: string[]
  files: Heredoc[]
  destination: string
  from: string | undefined
  chown: string | undefined
  chmod: string | undefined
  link: boolean
  parents: boolean
  excludes: string[]
  checksum: string | undefined
  /** `--unpack`; by default ADD unpacks local archives. */
  unpack: boolean | undefined
}

export const copy: InstructionType<CopyCommand<'COPY'>> = {
  parse: (instruction) => parseCopy(instruction, 'COPY'),
  plan: planCopy,
}

export const add: InstructionType<CopyCommand<'ADD'>> = {
  parse: (instruction) => parseCopy(instruction, 'ADD'),
  plan: planCopy,
}

function parseCopy<Kind extends 'COPY' | 'ADD'>(instruction: Instruction, kind: Kind): CopyCommand<Kind> {
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
  const { sources, files, destination } = parsePaths(instruction, kind)
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

function parsePaths(
  instruction: Instruction,
  kind: string,
): { sources: string[]; files: Heredoc[]; destination: string } {
  const words = instruction.json ? [...instruction.json] : bareWords(instruction.argument)
  if (words.length < 2) {
    throw wrong(instruction, `${kind} requires at least two arguments: the destination could not be determined`, {
      hint: `${kind} SOURCE… DESTINATION`,
    })
  }
  const destination = words.pop()!
  const signOf = (word: string) => (instruction.json ? undefined : parseHeredocSign(word))
  if (signOf(destination)) throw wrong(instruction, `${kind} cannot accept a heredoc as a destination`)
  if (words.includes('<<') || words.includes('<<-')) {
    throw wrong(instruction, 'the name of a heredoc must follow << without a space')
  }
  const files: Heredoc[] = []
  const sources = words.filter((word) => {
    const sign = signOf(word)
    const heredoc = sign && instruction.heredocs.find((one) => one.name === sign.name)
    if (heredoc) files.push(heredoc)
    return !heredoc
  })
  return { sources, files, destination }
}

function planCopy(command: CopyCommand, { state, words }: PlanView): Planned {
  const { kind, from, link, parents, unpack } = command
  const fill = (text: string | undefined) => (text === undefined ? undefined : words.text(text))
  const written = words.text(command.destination)
  const definition: CopyDefinition = {
    ...{ kind, link, parents, unpack },
    sources: command.sources.map((word) => inWord(word, () => checkedSource(kind, words.text(word)))),
    files: command.files.map((heredoc) => {
      const content = heredocContent(heredoc)
      return { name: heredoc.name, content: heredoc.expand ? words.body(content) : content }
    }),
    destination: {
      path: posix.resolve('/', state.config.WorkingDir ?? '/', written),
      isDirectory: /(?:^|\/)\.{0,2}$/.test(written),
    },
    chown: fill(command.chown),
    chmod: fill(command.chmod),
    excludes: command.excludes.map((word) => words.text(word)),
    checksum: fill(command.checksum),
    isFrom: from !== undefined,
  }
  const { chmod } = definition
  if (chmod !== undefined) inWord(command.chmod!, () => parseChmod(chmod))
  return {
    state,
    createdBy: `${createdBy(definition, written)} # buildkit`,
    work: { operation: 'copy', definition, sources: [from] },
  }
}

function checkedSource(kind: string, source: string): string {
  refuseGit(source)
  if (kind === 'COPY' && isUrl(source)) throw new Mistake("source can't be a URL for COPY")
  return source
}

function createdBy({ kind, parents, chown, chmod, sources, files }: CopyDefinition, destination: string): string {
  return [
    kind,
    ...(parents ? ['--parents'] : []),
    ...(chown ? [`--chown=${chown}`] : []),
    ...(chmod ? [`--chmod=${chmod}`] : []),
    ...sources.map(shownSource),
    ...files.map(({ name }) => `<<${name}`),
    destination,
  ].join(' ')
}
