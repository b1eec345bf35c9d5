/** One challenge of a WWW-Authenticate header. */
export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  scheme: string
  /** Names are lower case. */
  parameters: Record<string, string>
}

const SEPARATORS = /[ \t,]*/y
const PARAMETER = /([!#$%&'*+\-.^_`|~\w]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",][^\s,]*))/y
const SCHEME = /[!#$%&'*+\-.^_`|~\w]+/y
const TOKEN68 = /[ \t]+[\w\-.~+/]+=*(?=[ \t]*(?:,|$))/y

/**
 * Reads all challenges of one header value. Source: RFC 9110 section 11.6.1, where commas separate both challenges
 * and parameters, read with mercy: addresses without quotes, parameters without commas. What does not fit the grammar ends the reading: what was understood before it counts.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(header)
    if (match) at = pattern.lastIndex
    return match ?? undefined
  }
  for (;;) {
    take(SEPARATORS)
    const current = challenges.at(-1)
    const parameter = current && take(PARAMETER)
    if (parameter) {
      const [, name, quoted, plain] = parameter
      current.parameters[name!.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain!
      continue
    }
    const scheme = take(SCHEME)?.[0]
    if (scheme === undefined) return challenges
    challenges.push({ scheme: scheme.toLowerCase(), parameters: Object.create(null) as Record<string, string> })
    take(TOKEN68) // the opaque word of schemes like Negotiate
  }
}
