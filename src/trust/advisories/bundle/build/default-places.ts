import type { AdvisoryPlace } from './advisory-place.ts'

/**
 * Ecosystems of OSV's exports, with the licence of the databases in them where all have one. Debian and Alpine come from
 * their own trackers, which know more. Source: google.github.io/osv.dev/data.
 */
const OSV: readonly (readonly [ecosystem: string, licence?: string])[] = [
  ['npm', 'CC-BY-4.0'],
  ['PyPI', 'CC-BY-4.0'],
  ['Go', 'CC-BY-4.0'],
  ['Maven', 'CC-BY-4.0'],
  ['RubyGems', 'CC-BY-4.0'],
  ['crates.io'],
  ['NuGet', 'CC-BY-4.0'],
  ['Packagist', 'CC-BY-4.0'],
  ['Ubuntu', 'CC-BY-SA-4.0'],
  ['AlmaLinux', 'MIT'],
  ['Rocky Linux', 'BSD-3-Clause'],
  ['Red Hat', 'CC-BY-4.0'],
  ['SUSE'],
  ['openSUSE'],
  ['Chainguard'],
  ['Wolfi'],
]

/** Releases that Alpine's database has and that images are still made of. */
const ALPINE = ['v3.15', 'v3.16', 'v3.17', 'v3.18', 'v3.19', 'v3.20', 'v3.21', 'v3.22', 'v3.23', 'v3.24', 'edge']

/** Where advisories come from unless something else is configured: what the projects publish for everyone. */
export function defaultPlaces(): AdvisoryPlace[] {
  return [
    ...OSV.map(([ecosystem, licence]) => ({
      kind: 'osv' as const,
      address: `https://osv-vulnerabilities.storage.googleapis.com/${encodeURIComponent(ecosystem)}/all.zip`,
      ecosystem,
      ...(licence && { licence }),
    })),
    { kind: 'debian-tracker', address: 'https://security-tracker.debian.org/tracker/data/json' },
    ...ALPINE.flatMap((release) =>
      ['main', 'community'].map((repository) => ({
        kind: 'alpine-secdb' as const,
        address: `https://secdb.alpinelinux.org/${release}/${repository}.json`,
      })),
    ),
    {
      kind: 'kev',
      address: 'https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json',
      licence: 'CC0-1.0',
    },
    { kind: 'epss', address: 'https://epss.empiricalsecurity.com/epss_scores-current.csv.gz' },
  ]
}
