import { PackageURL } from 'packageurl-js'
import { type Digest, type Reference, repositoryName } from '#spec'
import type { FoundPackage, OperatingSystem, PackageType } from '#trust/inventory'

interface PurlParts {
  readonly namespace?: string
  readonly name: string
  readonly version: string
  readonly qualifiers?: Readonly<Record<string, string | undefined>>
}

/**
 * The package URL of a package: `pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc`. Undefined for
 * a package that can have none, such as a jar without a group. Sources: ECMA-427; package-url/purl-spec, types. The qualifiers
 * `distro` and `upstream` (what a distribution built it from) are as Syft writes and Grype reads them, `rpmmod` as Red Hat's.
 */
export function purlOf(found: FoundPackage, system?: OperatingSystem): string | undefined {
  const url = packageUrlOf(found, system)
  return url && formatPurl(url)
}

/** The same in its parts. Of packages of a distribution, `source` says that its source package is meant, if that is known. */
export function packageUrlOf(
  found: FoundPackage,
  system?: OperatingSystem,
  { source = false }: { source?: boolean } = {},
): PackageURL | undefined {
  const meant = source ? { ...found, ...found.source, architecture: 'source', source: undefined } : found
  return makeUrl(found.type, PARTS[found.type](meant, system))
}

/**
 * The package URL of an image: `pkg:oci/web@sha256:…?repository_url=registry.example%2Fteam%2Fweb&tag=1.0`. Undefined without a name
 * in a registry, which it is made of. Source: package-url/purl-spec, type oci.
 */
export function imagePurl(reference: Reference | undefined, manifest: Digest): string | undefined {
  if (reference === undefined) return undefined
  const { repository, tag } = reference
  const url = makeUrl('oci', {
    name: repository.slice(repository.lastIndexOf('/') + 1),
    version: manifest,
    qualifiers: { repository_url: repositoryName(reference), tag },
  })
  return url && formatPurl(url)
}

/**
 * The library leaves a plus and some other signs as they are, and escapes colons and tildes in qualifiers; the standard has it
 * the other way round. Source: ECMA-427, character encoding.
 */
function formatPurl(url: PackageURL): string {
  return url
    .toString()
    .replaceAll(/[+!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':')
    .replaceAll('%7E', '~')
}

function makeUrl(type: string, { namespace, name, version, qualifiers = {} }: PurlParts): PackageURL | undefined {
  const given = Object.entries(qualifiers).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value.toWellFormed()]],
  )
  const [space, plain] = [namespace?.toWellFormed(), name.toWellFormed()]
  try {
    const url = new PackageURL(type, space, plain, version.toWellFormed(), Object.fromEntries(given))
    // The library makes lower case of them, but there are old packages of npm whose names differ in case alone.
    if (type === 'npm') Object.assign(url, { namespace: space, name: plain })
    return url
  } catch {
    // Blank names, a jar without a group: the library throws errors of many kinds, and none is of use to anybody.
    return undefined
  }
}

const PARTS: Readonly<Record<PackageType, (found: FoundPackage, system?: OperatingSystem) => PurlParts>> = {
  deb: ofDistribution,
  apk: ofDistribution,
  rpm: ofDistribution,
  npm: (found) => (found.name.startsWith('@') ? split(found, found.name.indexOf('/')) : found),
  // PEP 503: a name has one form, whatever people write.
  pypi: ({ name, version }) => ({ name: name.replaceAll(/[-_.]+/g, '-').toLowerCase(), version }),
  gem: plainly,
  golang: (found) => split(found, found.name.lastIndexOf('/')),
  cargo: plainly,
  maven: (found) => split(found, found.name.indexOf(':')),
  composer: (found) => split(found, found.name.indexOf('/')),
  nuget: plainly,
}

/** Whether a distribution's package manager brought it. */
export function isOfDistribution({ type }: FoundPackage): boolean {
  return PARTS[type] === ofDistribution
}

function plainly({ name, version }: FoundPackage): PurlParts {
  return { name, version }
}

function split({ name, version }: FoundPackage, at: number): PurlParts {
  return at < 0 ? { name, version } : { namespace: name.slice(0, at), name: name.slice(at + 1), version }
}

function ofDistribution(found: FoundPackage, system: OperatingSystem | undefined): PurlParts {
  const { epoch, version } = epochOf(found)
  return {
    namespace: system && (VENDORS.get(system.id) ?? system.id),
    name: found.name,
    version,
    qualifiers: {
      arch: found.architecture,
      distro: system && [system.id, system.version ?? system.codename].filter(Boolean).join('-'),
      epoch,
      rpmmod: found.modularity,
      upstream: upstreamOf(found),
    },
  }
}

/** Where the vendor's name in package URLs is another than the system's in os-release: they are found by it in advisories and VEX. */
const VENDORS: ReadonlyMap<string, string> = new Map([
  ['rhel', 'redhat'],
  ['sles', 'suse'],
  ['sled', 'suse'],
  ['opensuse-leap', 'opensuse'],
  ['opensuse-tumbleweed', 'opensuse'],
])

function epochOf({ type, version }: FoundPackage): { epoch?: string; version: string } {
  return type === 'rpm' ? withoutEpoch(version) : { version }
}

/** An epoch of 0 is as good as none. */
function withoutEpoch(whole: string): { epoch?: string; version: string } {
  const [, epoch, version] = /^(\d+):(.*)$/s.exec(whole) ?? []
  if (version === undefined) return { version: whole }
  return { epoch: Number(epoch) === 0 ? undefined : epoch, version }
}

function upstreamOf({ type, name, version, source }: FoundPackage): string | undefined {
  if (!source || (source.name === name && source.version === version)) return undefined
  if (type === 'rpm') return `${source.name}-${withoutEpoch(source.version).version}.src.rpm`
  return source.version === version ? source.name : `${source.name}@${source.version}`
}
