/**
 * dockerfile: the language. Promises: pure functions from text to instructions with their places in the file, BuildKit's rules
 * for lines, flags, heredocs, JSON form and words; every error is a DOCKERFILE_INVALID that shows its line. Does not:
 * know what an instruction means, stages, images or files.
 */
export { isKnownSyntax } from './directives.ts'
export { expandWord, expandWords } from './expand.ts'
export { explainAt, originOf } from './explain.ts'
export { type FlagReader, readFlags } from './flag-reader.ts'
export { parseHeredocSign } from './heredoc.ts'
export { type Heredoc, heredocContent, type Instruction } from './instruction.ts'
export { positionIn } from './logical-line.ts'
export { inWord, Mistake } from './mistake.ts'
export { type Dockerfile, parseDockerfile, parseTrigger } from './parse-dockerfile.ts'
export { dockerfileError, errorAt, type Origin } from './source.ts'
export { type KeyValue, parseKeyValues, splitQuotedWords } from './words.ts'
