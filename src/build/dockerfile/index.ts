/**
 * dockerfile: the language. Promises: pure functions from text to commands with their places in the file, BuildKit's rules
 * for lines, flags, heredocs, JSON form and words; every mistake is a DOCKERFILE_INVALID that shows its line. Does not:
 * know stages, images or files.
 */
export type {
  ArgCommand,
  Command,
  CommandLine,
  CopyCommand,
  FromCommand,
  HealthcheckCommand,
  KeyValueCommand,
  OnbuildCommand,
  RunCommand,
  ShellFormCommand,
  TextCommand,
  WordsCommand,
} from './command.ts'
export { isKnownSyntax } from './directives.ts'
export { type ExpandOptions, expandWord, expandWords, type Variables } from './expand.ts'
export { parseHeredocSign } from './heredoc.ts'
export { type Heredoc, heredocContent, type Instruction } from './instruction.ts'
export { type MountOption, parseMount } from './mount-option.ts'
export { parseCommand } from './parse-command.ts'
export { type Dockerfile, parseDockerfile, parseTrigger } from './parse-dockerfile.ts'
export { dockerfileError, located, type SourcePosition, type SourceRange } from './source.ts'
