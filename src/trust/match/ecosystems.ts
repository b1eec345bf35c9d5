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

/** The ecosystem whose advisories are about a package; undefined when its distribution is not known. */
export function ecosystemOf(
  { type }: Pick<InventoryPackage, 'type'>,
  system: OperatingSystem | undefined,
): string | undefined {
  if (type !== 'deb' && type !== 'apk' && type !== 'rpm') return LANGUAGES[type]
  return system && distributionEcosystem(system)
}

type Naming = (version: string, system: OperatingSystem) => string

const major = (version: string) => version.split('.')[0]!
const minor = (version: string) => version.split('.').slice(0, 2).join('.')

/** How the OSV schema names releases of distributions, by the ID of os-release. */
const DISTRIBUTIONS = table<Naming>({
  debian: (version) => `Debian:${major(version)}`,
  ubuntu: (version) => `Ubuntu:${isLongTermRelease(version) ? `${version}:LTS` : version}`,
  alpine: (version) => `Alpine:v${minor(version)}`,
  rhel: (version) => `Red Hat:enterprise_linux:${major(version)}`,
  centos: (version) => `Red Hat:enterprise_linux:${major(version)}`,
  rocky: (version) => `Rocky Linux:${major(version)}`,
  almalinux: (version) => `AlmaLinux:${major(version)}`,
  ol: (version) => `Oracle Linux:${major(version)}`,
  'opensuse-leap': (version) => `openSUSE:Leap ${version}`,
  'opensuse-tumbleweed': () => 'openSUSE:Tumbleweed',
  sles: (version) => `SUSE:Linux Enterprise Server ${version.replace('.', ' SP')}`,
  photon: (version) => `Photon OS:${minor(version)}`,
  mageia: (version) => `Mageia:${major(version)}`,
  openeuler: (version) => `openEuler:${version}`,
  azurelinux: (version) => `Azure Linux:${major(version)}`,
  mariner: (version) => `Azure Linux:${major(version)}`,
  wolfi: () => 'Wolfi',
  chainguard: () => 'Chainguard',
})

const ROLLING = ['opensuse-tumbleweed', 'wolfi', 'chainguard']

function distributionEcosystem(system: OperatingSystem): string | undefined {
  const naming = DISTRIBUTIONS[system.id]
  if (!naming || (system.version === undefined && !ROLLING.includes(system.id))) return undefined
  return naming(system.version ?? '', system)
}

/** Ubuntu's releases of April in even years. */
function isLongTermRelease(version: string): boolean {
  const [year, month] = version.split('.')
  return month === '04' && Number(year) % 2 === 0
}
