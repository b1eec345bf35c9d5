import { compileGlob, type Glob } from '#docker'
import { Mistake } from '../dockerfile/index.ts'

/** One pattern, clean (no `./`, no slash at the end): a source of COPY, or a line of .dockerignore. Throws a Mistake. */
export function compilePattern(pattern: string, dialect: 'match' | 'ignore'): Glob {
  const glob = compileGlob(pattern, dialect)
  if (glob) return glob
  throw new Mistake(`syntax error in pattern: ${pattern}`)
}
