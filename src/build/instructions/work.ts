import type { MountOption } from './mount-option.ts'

/**
 * What an instruction does beyond the configuration: an operation on files, as plain data with every variable filled in.
 * `sources` are the names of what it reads beside its own stage; undefined is the build context.
 */
export type Work =
  | { operation: 'run'; definition: RunDefinition; sources: readonly (string | undefined)[] }
  | { operation: 'copy'; definition: CopyDefinition; sources: readonly (string | undefined)[] }
  | { operation: 'workdir'; definition: WorkdirDefinition; sources: readonly [] }

export interface RunDefinition {
  args: readonly string[]
  /** A script that is put at `path`, when the heredoc begins with `#!`. */
  script?: { path: string; content: string }
  /** `NAME=VALUE` */
  env: readonly string[]
  cwd: string
  /** Empty: that of the image's root. */
  user: string
  network: 'bridge' | 'none' | 'host'
  /** RUN --security=insecure. */
  insecure: boolean
  mounts: readonly RunMount[]
}

export interface RunMount {
  option: MountOption
  /** Of a bind, or a cache with a beginning: which of the sources. */
  input?: number
}

/** COPY and ADD. */
export interface CopyDefinition {
  kind: 'COPY' | 'ADD'
  sources: readonly string[]
  /** Heredocs. */
  files: readonly { name: string; content: string }[]
  destination: Destination
  chown?: string
  chmod?: string
  excludes: readonly string[]
  checksum?: string
  link: boolean
  parents: boolean
  unpack?: boolean
  /** `--from` was given: the source is a stage, an image or a named context. */
  isFrom: boolean
}

export interface Destination {
  /** Absolute path as text, not resolved. */
  path: string
  /** It was written with a slash (or a dot) at its end: a directory, made when missing. */
  isDirectory: boolean
}

export interface WorkdirDefinition {
  /** Absolute. */
  directory: string
  user: string
}
