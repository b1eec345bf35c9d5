import type { FoundPackage, PackageType } from '../../model.ts'

/** Longer than any, with qualifiers. */
const LONGEST_URL = 4096

/** What a package URL says: the package, or the type of one that is not covered. */
type ReadUrl = { readonly found: FoundPackage } | { readonly uncovered: string }

/** A reader of package URLs; undefined for what is none. Source: package-url/purl-spec. */
export async function packageUrlReader(): Promise<(url: string) => ReadUrl | undefined> {
  const { PackageURL } = await import('packageurl-js')
  return (url) => {
    if (url.length > LONGEST_URL || !/^pkg:/i.test(url)) return undefined
    const parts = parsed(url, PackageURL.parseString)
    if (!parts?.type || !parts.name) return undefined
    const naming = NAMING.get(parts.type)
    return naming ? { found: packageOf(naming, parts) } : { uncovered: parts.type }
  }
}

interface UrlParts {
  readonly type: string
  readonly namespace: string
  readonly name: string
  readonly version: string
  readonly qualifiers: URLSearchParams
}

/**
 * The parts as they are written. `fromString` would make the names of some types lower case, and throws a ReferenceError for
 * some versions of Go modules.
 */
function parsed(
  url: string,
  parse: (url: string) => readonly [...(string | undefined)[], unknown, unknown],
): UrlParts | undefined {
  try {
    const [type, namespace, name, version, qualifiers] = parse(url)
    return {
      type: text(type).toLowerCase(),
      namespace: text(namespace)
        .split('/')
        .filter((one) => one !== '')
        .join('/'),
      name: text(name),
      version: text(version),
      qualifiers: qualifiers instanceof URLSearchParams ? qualifiers : new URLSearchParams(),
    }
  } catch {
    return undefined
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

interface Naming {
  readonly type: PackageType
  /** Between namespace and name; undefined where the namespace is the distribution, which is no part of the name. */
  readonly separator?: string
}

const NAMING: ReadonlyMap<string, Naming> = new Map(
  [
    ...(['deb', 'apk', 'rpm'] as const).map((type) => ({ type })),
    ...(['npm', 'pypi', 'gem', 'golang', 'cargo', 'composer', 'nuget'] as const).map((type) => ({
      type,
      separator: '/',
    })),
    { type: 'maven' as const, separator: ':' },
  ].map((naming) => [naming.type, naming]),
)

function packageOf({ type, separator }: Naming, { namespace, name, version, qualifiers }: UrlParts): FoundPackage {
  if (separator !== undefined) return { type, name: namespace ? `${namespace}${separator}${name}` : name, version }
  const epoch = qualifiers.get('epoch') ?? '0'
  const whole = version.includes(':') || /^0*$/.test(epoch) ? version : `${epoch}:${version}`
  const architecture = qualifiers.get('arch') ?? undefined
  const source = sourceOf(qualifiers.get('upstream'), whole)
  const modularity = qualifiers.get('rpmmod') ?? undefined
  return {
    ...{ type, name, version: whole },
    ...(architecture && { architecture }),
    ...(source && { source }),
    ...(modularity && { modularity }),
  }
}

/** `name` or `name@version`, as Syft writes what a distribution built a package from; for rpm the name of a file. */
function sourceOf(upstream: string | null, version: string): FoundPackage['source'] {
  if (!upstream) return undefined
  const file = /^([^/]+)-([^-/]+-[^-/]+)\.(?:no)?src\.rpm$/.exec(upstream)
  if (file) return { name: file[1]!, version: file[2]! }
  const at = upstream.indexOf('@')
  return at < 0 ? { name: upstream, version } : { name: upstream.slice(0, at), version: upstream.slice(at + 1) }
}
