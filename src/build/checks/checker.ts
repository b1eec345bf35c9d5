import { isBaleError } from '#base'
import { type CheckOptions, DEFAULT_CHECKS, parseCheckOptions } from './check-options.ts'
import { RULES, type RuleFacts, type RuleName } from './rules.ts'

/** What a check found. */
export interface Finding {
  rule: RuleName
  description: string
  url: string | undefined
  /** The message, with names of this Dockerfile. */
  detail: string
  /** Numbers of the lines that it is about. */
  lines: readonly number[]
}

/** Collects the findings of checks, dropping those not requested. */
export interface Checker {
  report<R extends RuleName>(rule: R, lines: readonly number[], ...facts: RuleFacts<R>): void
  /** The same checker for an instruction with these comments above it: `# check=skip=…` there is about it alone. */
  under(comments: readonly string[]): Checker
}

export function createChecker(options: CheckOptions, found: (finding: Finding) => void): Checker {
  return {
    report(rule, lines, ...facts) {
      const { description, url, detail, ...rest } = RULES[rule]
      if (!isWanted(rule, 'experimental' in rest, options)) return
      // The facts are those of this rule.
      found({ rule, description, url, detail: (detail as (...facts: unknown[]) => string)(...facts), lines })
    },
    under(comments) {
      const own = optionsIn(comments)
      return own ? createChecker(merged(options, own), found) : this
    },
  }
}

function isWanted(rule: string, experimental: boolean, options: CheckOptions): boolean {
  if (experimental) return options.experimental === 'all' || options.experimental.has(rule)
  return !(options.skipped === 'all' || options.skipped.has(rule))
}

/** The first comment that is one counts; what cannot be understood is a comment like any other. */
function optionsIn(comments: readonly string[]): CheckOptions | undefined {
  for (const comment of comments) {
    const value = /^check\s*=\s*(.+?)\s*$/i.exec(comment)?.[1]
    if (value === undefined) continue
    try {
      return parseCheckOptions(value.split(' ')[0]!)
    } catch (error) {
      if (!isBaleError(error, 'INVALID_ARGUMENT')) throw error
      return undefined
    }
  }
  return undefined
}

function merged(one: CheckOptions, other: CheckOptions): CheckOptions {
  const both = (a: CheckOptions['skipped'], b: CheckOptions['skipped']) =>
    a === 'all' || b === 'all' ? 'all' : new Set([...a, ...b])
  return {
    skipped: both(one.skipped, other.skipped),
    experimental: both(one.experimental, other.experimental),
    isStrict: one.isStrict,
  }
}

/** Those of the build argument, else of the directive. */
export function checkOptionsOf(directive: string | undefined, argument: string | undefined): CheckOptions {
  const text = argument ?? directive
  return text === undefined ? DEFAULT_CHECKS : parseCheckOptions(text)
}
