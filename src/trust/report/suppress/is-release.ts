import { table } from '#base'
import type { OperatingSystem } from '#trust/inventory'

interface Releases {
  /** Of versions 2.2 and 2.3. The groups are the parts of the system's version. */
  readonly cpe: RegExp
  /** Of a system's version, as many parts as the CPE tells. */
  readonly parts: number
}

const MAJOR = String.raw`(\d{1,3})(?=[.:]|$)`
/** The packages of SUSE's releases are in modules, which have CPEs of their own. */
const SUSE = String.raw`(?:sles|sle\\?-module(?:\\?-[a-z0-9]{1,40}){1,8})`

const cpe = (rest: string) => new RegExp(String.raw`^cpe:(?:\/|2\.3:)[ao]:${rest}`)

/** By the ID of os-release: the distributions whose makers tell in CSAF documents, by CPE, which release is meant. */
const RELEASES = table<Releases>({
  rhel: { cpe: cpe(`redhat:enterprise_linux:${MAJOR}`), parts: 1 },
  sles: { cpe: cpe(String.raw`suse:${SUSE}:(\d{1,3})(?::(?:sp(\d{1,2})|[-*]))?(?=:|$)`), parts: 2 },
  'opensuse-leap': { cpe: cpe(String.raw`opensuse:leap:(\d{1,3})\.(\d{1,3})(?=:|$)`), parts: 2 },
  'opensuse-tumbleweed': { cpe: cpe('opensuse:tumbleweed(?=:|$)'), parts: 0 },
})

/**
 * Whether a CPE is that of the image's release: of RHEL a major one with all its minor ones; of SUSE Linux Enterprise Server,
 * with its modules, one service pack; of openSUSE one version of Leap, or Tumbleweed. Others are not recognised.
 */
export function isRelease(text: string, system: OperatingSystem | undefined): boolean {
  const releases = system && RELEASES[system.id]
  if (!releases) return false
  const found = releases.cpe.exec(text)
  if (!found) return false
  const version = (system.version ?? '').split('.').slice(0, releases.parts)
  return version.join('.') === found.slice(1).filter(Boolean).join('.')
}
