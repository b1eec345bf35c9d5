import { parseControl } from './control.ts'

/** One suite of a place that apt takes packages from. */
export interface AptSource {
  /** As written, without slashes at its end: `http://deb.debian.org/debian`. */
  readonly uri: string
  /** `bookworm-security`; of a repository without suites a path that ends with a slash. */
  readonly suite: string
  readonly components: readonly string[]
  /** Whose signatures count; undefined: those of all keys that apt trusts. */
  readonly signedBy?: SignedBy
  /** False: a Release file counts after its Valid-Until, too. */
  readonly checkValidUntil: boolean
}

/** Keys that may sign a source. Source: sources.list(5), Signed-By. */
export interface SignedBy {
  /** Keyrings, by absolute path. */
  readonly files: readonly string[]
  /** Of keys in apt's own keyrings, in upper case. */
  readonly fingerprints: readonly string[]
  /** Keys that are written in the source itself, in ASCII armour. */
  readonly armoured?: string
}

/** A file of /etc/apt that lists sources. Its name says which form it has: `debian.sources`, else one source a line. */
export interface AptSourceFile {
  readonly name: string
  readonly text: string
}

/**
 * The sources of binary packages in files of apt, one for each URI and suite, in their order. Disabled ones and what
 * apt would not understand are left out. Source: sources.list(5).
 */
export function parseAptSources(files: readonly AptSourceFile[]): AptSource[] {
  return files.flatMap(({ name, text }) =>
    name.endsWith('.sources') ? parseControl(text).flatMap(fromParagraph) : text.split('\n').flatMap(fromLine),
  )
}

/** Deb822 form: a paragraph has many URIs, suites and components, and stands for all their combinations. */
function fromParagraph(fields: ReadonlyMap<string, string>): AptSource[] {
  if (!words(fields.get('types')).includes('deb') || isNo(fields.get('enabled'))) return []
  return combined(words(fields.get('uris')), words(fields.get('suites')), {
    components: words(fields.get('components')),
    signedBy: parseSignedBy(fields.get('signed-by')),
    checkValidUntil: !isNo(fields.get('check-valid-until')),
  })
}

/** One-line form: `deb [option=value …] uri suite component …`. */
function fromLine(line: string): AptSource[] {
  const [statement = ''] = line.split('#', 1)
  const [, rest] = /^\s*deb\s+(\S.*)$/.exec(statement) ?? []
  if (rest === undefined) return []
  const close = rest.startsWith('[') ? rest.indexOf(']') : -1
  const options = parseOptions(rest.slice(1, Math.max(1, close)))
  const [uri, suite, ...components] = words(rest.slice(close + 1))
  if (uri === undefined || suite === undefined) return []
  return combined([uri], [suite], {
    components,
    signedBy: parseSignedBy(options.get('signed-by')),
    checkValidUntil: !isNo(options.get('check-valid-until')),
  })
}

function combined(
  uris: readonly string[],
  suites: readonly string[],
  shared: Omit<AptSource, 'uri' | 'suite'>,
): AptSource[] {
  return uris.flatMap((uri) => suites.map((suite) => ({ uri: withoutSlashes(uri), suite, ...shared })))
}

function parseOptions(text: string): ReadonlyMap<string, string> {
  const pairs = words(text).map((word) => word.split('='))
  return new Map(pairs.map(([name = '', ...value]) => [name.toLowerCase(), value.join('=')]))
}

const ARMOUR = '-----BEGIN PGP PUBLIC KEY BLOCK-----'

function parseSignedBy(value: string | undefined): SignedBy | undefined {
  if (!value) return undefined
  if (value.includes(ARMOUR)) return { files: [], fingerprints: [], armoured: value }
  const named = value.split(/[\s,]+/).filter(Boolean)
  return {
    files: named.filter((one) => one.startsWith('/')),
    // A `!` says that this very key must have signed, and no subkey of it.
    fingerprints: named.filter((one) => !one.startsWith('/')).map((one) => one.replace(/!$/, '').toUpperCase()),
  }
}

function words(text = ''): string[] {
  return text.split(/\s+/).filter(Boolean)
}

/** Source: apt, StringToBool. */
function isNo(value: string | undefined): boolean {
  return value !== undefined && ['no', 'false', 'without', 'off', 'disable', '0'].includes(value.toLowerCase())
}

function withoutSlashes(uri: string): string {
  let end = uri.length
  while (end > 0 && uri[end - 1] === '/') end--
  return uri.slice(0, end)
}
