import type { OperatingSystem } from '../model.ts'
import { operatingSystem, parseLsbRelease, parseOsRelease } from './parse-os-release.ts'

type Parse = (text: string) => OperatingSystem | undefined

/**
 * Files that name a system, by path, the most trustworthy first: a distribution keeps files of those it is derived from
 * beside its own, so the general names come last.
 */
export const RELEASE_FILES: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['etc/os-release', parseOsRelease],
  ['usr/lib/os-release', parseOsRelease],
  ['etc/alpine-release', (text) => operatingSystem({ id: 'alpine', version: firstLine(text) })],
  ...['centos', 'rocky', 'almalinux', 'oracle', 'fedora', 'mariner', 'azurelinux', 'photon'].flatMap(inBothPlaces),
  ['etc/SuSE-release', parseSuseRelease],
  ['etc/lsb-release', parseLsbRelease],
  ...['system', 'redhat'].flatMap(inBothPlaces),
  ['etc/debian_version', parseDebianVersion],
])

function inBothPlaces(name: string): [string, Parse][] {
  return ['etc', 'usr/lib'].map((directory) => [`${directory}/${name}-release`, parseRelease])
}

/** How the names begin that such files have, with the ID and the ancestors that os-release of the same system has. */
const SYSTEMS: readonly [beginning: string, id: string, like: readonly string[]][] = [
  ['almalinux', 'almalinux', ['rhel', 'centos', 'fedora']],
  ['amazon linux', 'amzn', ['centos', 'rhel', 'fedora']],
  ['azurelinux', 'azurelinux', []],
  ['cbl-mariner', 'mariner', []],
  ['centos', 'centos', ['rhel', 'fedora']],
  ['fedora', 'fedora', []],
  ['opensuse', 'opensuse', ['suse']],
  ['oracle linux', 'ol', ['fedora']],
  ['red hat', 'rhel', ['fedora']],
  ['rocky linux', 'rocky', ['rhel', 'centos', 'fedora']],
  ['scientific linux', 'scientific', ['rhel', 'centos', 'fedora']],
  ['suse linux enterprise', 'sles', ['suse']],
  ['vmware photon', 'photon', []],
]

/** `Rocky Linux release 9.3 (Blue Onyx)`, `CBL-Mariner 2.0.20230126`. */
function parseRelease(text: string): OperatingSystem | undefined {
  const name = firstLine(text)
  const lower = name.toLowerCase()
  const system = SYSTEMS.find(([beginning]) => lower.startsWith(beginning))
  if (!system) return undefined
  const version = / (\d[\w.]*)/.exec(name)?.[1]
  return operatingSystem({ id: system[1], version, name, like: system[2] })
}

/** The name, then lines `VERSION = 11` and `PATCHLEVEL = 4`, which os-release of later ones has as `11.4`. */
function parseSuseRelease(text: string): OperatingSystem | undefined {
  const system = parseRelease(text)
  const patch = /^PATCHLEVEL = (\d{1,3})$/m.exec(text)?.[1]
  if (!system?.version || !patch || patch === '0') return system
  return { ...system, version: `${system.version}.${patch}` }
}

/** `12.5` of a release; `trixie/sid` of testing, and of sid too. */
function parseDebianVersion(text: string): OperatingSystem | undefined {
  const line = firstLine(text)
  const [version] = /^\d+/.exec(line) ?? []
  if (version === undefined && !/^[a-z]/.test(line)) return undefined
  const codename = version === undefined ? line.split('/')[0] : undefined
  return operatingSystem({ id: 'debian', version, codename })
}

function firstLine(text: string): string {
  return text.slice(0, 256).trimStart().split('\n', 1)[0]!.trimEnd()
}
