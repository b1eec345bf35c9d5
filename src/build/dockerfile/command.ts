import type { Healthcheck } from '#spec'
import type { Heredoc, Instruction } from './instruction.ts'
import type { KeyValue } from './words.ts'

/** Instructions with their arguments understood. Texts that may hold variables are not expanded yet. */
export type Command =
  | FromCommand
  | ArgCommand
  | KeyValueCommand
  | RunCommand
  | CopyCommand
  | ShellFormCommand
  | HealthcheckCommand
  | TextCommand
  | WordsCommand
  | OnbuildCommand

interface Base {
  instruction: Instruction
}

export interface FromCommand extends Base {
  kind: 'FROM'
  image: string
  /** Lower case. */
  stageName: string | undefined
  platform: string | undefined
}

export interface ArgCommand extends Base {
  kind: 'ARG'
  arguments: { name: string; value: string | undefined }[]
}

export interface KeyValueCommand extends Base {
  kind: 'ENV' | 'LABEL'
  pairs: KeyValue[]
}

/** A command line in shell form (one text for the shell) or exec form. */
export type CommandLine = { form: 'shell'; text: string } | { form: 'exec'; words: readonly string[] }

export interface ShellFormCommand extends Base {
  kind: 'CMD' | 'ENTRYPOINT'
  line: CommandLine
}

export interface RunCommand extends Base {
  kind: 'RUN'
  line: CommandLine
  heredocs: readonly Heredoc[]
  /** Values of `--mount`, parsed after expansion. */
  mounts: string[]
  network: 'default' | 'none' | 'host'
  security: 'sandbox' | 'insecure'
}

/** COPY and ADD. */
export interface CopyCommand extends Base {
  kind: 'COPY' | 'ADD'
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

export interface HealthcheckCommand extends Base {
  kind: 'HEALTHCHECK'
  healthcheck: Healthcheck
}

export interface TextCommand extends Base {
  kind: 'WORKDIR' | 'USER' | 'STOPSIGNAL' | 'MAINTAINER'
  text: string
}

export interface WordsCommand extends Base {
  kind: 'EXPOSE' | 'VOLUME' | 'SHELL'
  words: string[]
}

export interface OnbuildCommand extends Base {
  kind: 'ONBUILD'
  /** The trigger as it goes into the image's config. */
  trigger: string
}
