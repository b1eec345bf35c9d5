import type { Coverage } from '../../advisory.ts'
import { redHatEcosystem } from '../red-hat/red-hat-ecosystem.ts'

/** What their OSV records know only after an update has fixed it: they are made of notices of updates. */
const ONLY_FIXED = new Set([
  'AlmaLinux',
  'Alpine',
  'Azure Linux',
  'Chainguard',
  'Mageia',
  'MinimOS',
  'openEuler',
  'openSUSE',
  'Photon OS',
  'Red Hat',
  'Rocky Linux',
  'SUSE',
  'Wolfi',
])

/** Whether an ecosystem's OSV records are of all vulnerabilities or only of those with a fix. */
export function osvKnows(ecosystem: string): Coverage['knows'] {
  return ONLY_FIXED.has(baseEcosystem(ecosystem)) ? 'fixed' : 'all'
}

/** Whether versions of an ecosystem are in one order that everybody agrees on: its ranges then say it all. */
export function isDistribution(ecosystem: string): boolean {
  const base = baseEcosystem(ecosystem)
  return base === 'Debian' || base === 'Ubuntu' || ONLY_FIXED.has(base)
}

/** `Debian` of `Debian:12`. */
export function baseEcosystem(ecosystem: string): string {
  return ecosystem.split(':', 1)[0]!
}

/** As this model names it: as OSV does, but one ecosystem for all repositories of a release of Red Hat. */
export function osvEcosystem(name: string): string | undefined {
  return name.startsWith('Red Hat:') ? redHatEcosystem(name.slice('Red Hat:'.length)) : name
}
