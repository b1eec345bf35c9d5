import { table } from '#base'
import type { InventoryPackage, OperatingSystem } from '#trust/inventory'

/** Ecosystems of packages of languages, by the type of their package URL. Source: OSV schema, "Defined ecosystems". */
const LANGUAGES = {
  npm: 'npm',
  pypi: 'PyPI',
  gem: 'RubyGems',
  golang: 'Go',
  cargo: 'crates.io',
  maven: 'Maven',
  composer: 'Packagist',
  nuget: 'NuGet',
} as const

/**
 * The ecosystem whose advisories are about a package; undefined when its distribution is not known, or is not the one of
 * the image: an rpm database in an image of Debian says nothing of which distribution its packages are.
 */
export function ecosystemOf(
  { type }: Pick<InventoryPackage, 'type'>,
  system: OperatingSystem | undefined,
): string | undefined {
  if (type !== 'deb' && type !== 'apk' && type !== 'rpm') return LANGUAGES[type]
  return system && DISTRIBUTIONS[system.id]?.type === type ? systemEcosystem(system) : undefined
}

/** The ecosystem of a distribution's own packages; undefined for one that is not known, or without the version it needs. */
export function systemEcosystem(system: OperatingSystem): string | undefined {
  const distribution = DISTRIBUTIONS[system.id]
  if (!distribution || (system.version === undefined && !ROLLING.includes(system.id))) return undefined
  return distribution.naming(system.version ?? '')
}

interface Distribution {
  readonly type: 'deb' | 'apk' | 'rpm'
  /** The ecosystem of a version. */
  naming(version: string): string
}

const major = (version: string) => version.split('.')[0]!
const minor = (version: string) => version.split('.').slice(0, 2).join('.')

const deb = (naming: Distribution['naming']): Distribution => ({ type: 'deb', naming })
const apk = (naming: Distribution['naming']): Distribution => ({ type: 'apk', naming })
const rpm = (naming: Distribution['naming']): Distribution => ({ type: 'rpm', naming })

/** How the OSV schema names releases of distributions, by the ID of os-release. */
const DISTRIBUTIONS = table<Distribution>({
  debian: deb((version) => `Debian:${major(version)}`),
  ubuntu: deb((version) => `Ubuntu:${isLongTermRelease(version) ? `${version}:LTS` : version}`),
  alpine: apk((version) => `Alpine:v${minor(version)}`),
  wolfi: apk(() => 'Wolfi'),
  chainguard: apk(() => 'Chainguard'),
  rhel: rpm((version) => `Red Hat:enterprise_linux:${major(version)}`),
  centos: rpm((version) => `Red Hat:enterprise_linux:${major(version)}`),
  rocky: rpm((version) => `Rocky Linux:${major(version)}`),
  almalinux: rpm((version) => `AlmaLinux:${major(version)}`),
  ol: rpm((version) => `Oracle Linux:${major(version)}`),
  'opensuse-leap': rpm((version) => `openSUSE:Leap ${version}`),
  'opensuse-tumbleweed': rpm(() => 'openSUSE:Tumbleweed'),
  sles: rpm((version) => `SUSE:Linux Enterprise Server ${version.replace('.', ' SP')}`),
  photon: rpm((version) => `Photon OS:${minor(version)}`),
  mageia: rpm((version) => `Mageia:${major(version)}`),
  openeuler: rpm((version) => `openEuler:${version}`),
  azurelinux: rpm((version) => `Azure Linux:${major(version)}`),
  mariner: rpm((version) => `Azure Linux:${major(version)}`),
})

const ROLLING = ['opensuse-tumbleweed', 'wolfi', 'chainguard']

/** Ubuntu's releases of April in even years. */
function isLongTermRelease(version: string): boolean {
  const [year, month] = version.split('.')
  return month === '04' && Number(year) % 2 === 0
}
