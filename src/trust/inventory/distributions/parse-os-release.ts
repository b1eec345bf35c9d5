import type { OperatingSystem } from '../model.ts'

/** Reads os-release; one without an ID is of a system called `linux`. Undefined when it says nothing. Source: os-release(5). */
export function parseOsRelease(text: string): OperatingSystem | undefined {
  const values = parseAssignments(text)
  if (values.size === 0) return undefined
  const like = values.get('ID_LIKE')?.toLowerCase().split(/\s+/).filter(isIdentifier)
  return operatingSystem({
    id: values.get('ID') ?? '',
    version: values.get('VERSION_ID'),
    codename: values.get('VERSION_CODENAME'),
    name: values.get('PRETTY_NAME') || values.get('NAME'),
    like,
  })
}

/** Reads lsb-release, which Ubuntu had before os-release. Undefined when it names no distribution. */
export function parseLsbRelease(text: string): OperatingSystem | undefined {
  const values = parseAssignments(text)
  const id = values.get('DISTRIB_ID')
  if (!id) return undefined
  return operatingSystem({
    id,
    version: values.get('DISTRIB_RELEASE'),
    codename: values.get('DISTRIB_CODENAME'),
    name: values.get('DISTRIB_DESCRIPTION'),
  })
}

/** What is empty or no identifier is left out; an ID that is none becomes `linux`, as if there were none. */
export function operatingSystem({ id, version, codename, name, like }: OperatingSystem): OperatingSystem {
  const lower = id.toLowerCase()
  return {
    id: isIdentifier(lower) ? lower : 'linux',
    ...(version && isVersion(version) && { version }),
    ...(codename && isVersion(codename) && { codename }),
    ...(name && { name: name.slice(0, LONGEST_NAME) }),
    ...(like && like.length > 0 && { like: like.slice(0, MOST_LIKE) }),
  }
}

const LONGEST_NAME = 256
const MOST_LIKE = 16

function isIdentifier(text: string): boolean {
  return /^[a-z0-9._-]{1,64}$/.test(text)
}

function isVersion(text: string): boolean {
  return /^[A-Za-z0-9._~^:+/-]{1,64}$/.test(text)
}

/** Lines `NAME=value` as a shell reads them; the last assignment of a name counts. Other lines say nothing. */
function parseAssignments(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, name, quoted] = /^\s*([A-Z][A-Z0-9_]{0,63})=(.*)$/.exec(line.trimEnd()) ?? []
    if (name !== undefined && quoted !== undefined) values.set(name, unquote(quoted))
  }
  return values
}

/** The first word of a shell: pieces in single quotes, in double quotes, or with backslashes. */
function unquote(quoted: string): string {
  let value = ''
  let quote = ''
  for (let at = 0; at < quoted.length; at++) {
    const character = quoted[at]!
    if (character === quote) quote = ''
    else if (quote === '' && (character === '"' || character === "'")) quote = character
    else if (quote === '' && (character === ' ' || character === '\t')) break
    else if (character === '\\' && quote !== "'" && at + 1 < quoted.length) {
      const next = quoted[++at]!
      // In double quotes a backslash stays unless it protects one of these.
      value += quote === '"' && !'$`"\\'.includes(next) ? `\\${next}` : next
    } else value += character
  }
  return value
}
