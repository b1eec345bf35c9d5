import { posix } from 'node:path'
import type { Glob } from '#docker'
import { Mistake } from '../dockerfile/index.ts'
import { compilePattern } from './path-pattern.ts'

/**
 * An ordered list of patterns with `!` exceptions; the last that matches a path, or a directory above it, decides. Source:
 * moby/patternmatcher. (The npm package for this takes `+`, `(`, `|` of a pattern as regular expression, ignores case by
 * default and answers wrongly for files named like members of Object.prototype.)
 */
export interface PatternSet {
  /** For a path whose directories were not visited. */
  matches(path: string): boolean
  /** For walking: the verdict on an entry of the directory with `parent` state. */
  step(path: string, parent: MatchState | undefined): MatchState
  /** False when nothing below an ignored directory can be re-included, so that it need not be read. */
  mayExceptBelow(directory: string): boolean
}

export interface MatchState {
  readonly matched: boolean
  /** Which patterns matched the path or a directory above it; a hole is one that did not. */
  readonly hits: readonly (boolean | undefined)[]
}

const NOTHING: MatchState = { matched: false, hits: [] }

/** Throws a Mistake for a pattern that is none. */
export function createPatternSet(patterns: readonly string[]): PatternSet {
  const compiled: (Glob & { except: boolean })[] = patterns.flatMap((line) => {
    const clean = line.trim() === '' ? '' : cleaned(line.trim())
    if (clean === '') return []
    const except = clean.startsWith('!')
    const pattern = except ? clean.slice(1) : clean
    if (pattern === '') throw new Mistake(`illegal exclusion pattern: ${JSON.stringify(line)}`)
    return { ...compilePattern(pattern, 'ignore'), except }
  })
  const exceptions = compiled.filter((pattern) => pattern.except)
  const step: PatternSet['step'] = (path, parent) => {
    let matched = false
    let hits: boolean[] | undefined
    for (const [index, pattern] of compiled.entries()) {
      if (!parent?.hits[index] && !pattern.matches(path)) continue
      matched = !pattern.except
      hits ??= []
      hits[index] = true
    }
    return hits ? { matched, hits } : NOTHING
  }
  return {
    step,
    matches(path) {
      let state: MatchState | undefined
      for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1))
        state = step(path.slice(0, end), state)
      return step(path, state).matched
    },
    mayExceptBelow(directory) {
      const below = `${directory}/`
      return exceptions.some(({ literalStart }) => literalStart.startsWith(below) || below.startsWith(literalStart))
    },
  }
}

/** Go's filepath.Clean of the pattern after `!`; a leading slash is removed. */
function cleaned(pattern: string): string {
  const except = pattern.startsWith('!')
  const body = (except ? pattern.slice(1) : pattern).trim()
  if (body === '') return except ? '!' : ''
  const normal = posix.normalize(body)
  const withoutEnd = normal.length > 1 ? normal.replace(/\/$/, '') : normal
  return (except ? '!' : '') + (withoutEnd.length > 1 ? withoutEnd.replace(/^\//, '') : withoutEnd)
}

/** The patterns of a .dockerignore: a BOM goes, `#` is a comment in column 1 only. */
export function parseIgnoreFile(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  return lines.filter((line) => !line.startsWith('#') && line.trim() !== '').map((line) => line.trim())
}
