import { withoutReturn } from './logical-line.ts'
import { dockerfileError, type SourceText } from './source.ts'

/** Parser directives: comments of the form `# name=value` before anything else. */
export interface Directives {
  escape: '\\' | '`'
  syntax?: string
  check?: string
  /** Index of the first line after them. */
  next: number
}

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/

/**
 * Front ends that bale has built in. An image named by `syntax=` is never fetched or run: it would be code of the
 * Dockerfile's author with the builder's rights.
 */
const KNOWN_SYNTAX = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?::[\w][\w.-]*)?(?:@sha256:[0-9a-f]{64})?$/

export function isKnownSyntax(value: string): boolean {
  return KNOWN_SYNTAX.test(value.split(' ')[0]!)
}

export function readDirectives(source: SourceText): Directives {
  const found = new Map<string, string>()
  let index = source.lines[0]?.startsWith('#!') ? 1 : 0
  for (; index < source.lines.length; index++) {
    const line = withoutReturn(source.lines[index]!).trimStart()
    const match = DIRECTIVE.exec(line)
    const name = match?.[1]?.toLowerCase()
    if (!name || !['syntax', 'escape', 'check'].includes(name)) break
    const position = { line: index + 1, column: 1 }
    if (found.has(name)) throw dockerfileError(source, position, `the parser directive ${name} appears twice`)
    const value = match![2]!
    if (name === 'escape' && value !== '\\' && value !== '`') {
      throw dockerfileError(source, position, `invalid escape character ${value}: it must be \\ or \``)
    }
    if (name === 'syntax' && !isKnownSyntax(value)) {
      throw dockerfileError(source, position, `the frontend ${value} is not supported`, {
        hint: 'bale has docker/dockerfile built in and runs no other frontend; remove the line or write # syntax=docker/dockerfile:1',
      })
    }
    found.set(name, value)
  }
  return {
    escape: (found.get('escape') as '\\' | '`' | undefined) ?? '\\',
    syntax: found.get('syntax'),
    check: found.get('check'),
    next: index,
  }
}
