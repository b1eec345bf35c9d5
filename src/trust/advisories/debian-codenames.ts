import { table } from '#base'

/** Releases whose archives are in use; unstable has neither a number nor images. Source: distro-info-data, debian.csv. */
const RELEASES = [
  ['8', 'jessie'],
  ['9', 'stretch'],
  ['10', 'buster'],
  ['11', 'bullseye'],
  ['12', 'bookworm'],
  ['13', 'trixie'],
  ['14', 'forky'],
  ['15', 'duke'],
] as const

/** Codenames of Debian by the number of the release, `bookworm` of `12`. */
export const DEBIAN_CODENAMES = table<string>(Object.fromEntries(RELEASES))

/** Numbers of Debian's releases by codename, `12` of `bookworm`. */
export const DEBIAN_VERSIONS = table<string>(
  Object.fromEntries(RELEASES.map(([version, codename]) => [codename, version])),
)
