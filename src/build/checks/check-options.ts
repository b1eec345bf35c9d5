import { BaleError, printable } from '#base'
import { readBoolean } from '#docker'

/** Which checks count, and whether a finding fails the build. */
export interface CheckOptions {
  /** Names of rules, or all that are not experimental. */
  skipped: ReadonlySet<string> | 'all'
  /** The requested experimental rules. */
  experimental: ReadonlySet<string> | 'all'
  /** A finding is an error. */
  isStrict: boolean
}

export const DEFAULT_CHECKS: CheckOptions = { skipped: new Set(), experimental: new Set(), isStrict: false }

/**
 * `skip=RuleA,RuleB;error=true;experimental=all`, of the directive `# check=` or the build argument
 * BUILDKIT_DOCKERFILE_CHECK. Throws INVALID_ARGUMENT with BuildKit's message.
 */
export function parseCheckOptions(text: string): CheckOptions {
  const options = { ...DEFAULT_CHECKS }
  if (text.trim() === '') return options
  for (const part of splitThree(text.trim())) {
    const equals = part.indexOf('=')
    const key = part.slice(0, equals).trim()
    const value = part.slice(equals + 1).trim()
    if (equals < 0) throw wrong(`invalid check option ${JSON.stringify(part)}`)
    if (key === 'skip') options.skipped = names(value)
    else if (key === 'experimental') options.experimental = names(value)
    else if (key === 'error') options.isStrict = truth(part, value)
    else throw wrong(`invalid check option ${JSON.stringify(key)}`)
  }
  return options
}

/** At most three parts; the rest belongs to the third. */
function splitThree(text: string): string[] {
  const [first, second, ...rest] = text.split(';')
  return [first!, ...(second === undefined ? [] : [second]), ...(rest.length > 0 ? [rest.join(';')] : [])]
}

function names(value: string): ReadonlySet<string> | 'all' {
  return value === 'all' ? 'all' : new Set(value.split(',').map((name) => name.trim()))
}

function truth(part: string, value: string): boolean {
  try {
    return readBoolean(value)
  } catch (cause) {
    throw wrong(`failed to parse check option ${JSON.stringify(part)}: ${(cause as Error).message}`)
  }
}

function wrong(message: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', `failed to parse check options: ${printable(message)}`, {
    hint: 'write skip=RULE,RULE or skip=all, error=true, experimental=RULE, with ; between',
  })
}
