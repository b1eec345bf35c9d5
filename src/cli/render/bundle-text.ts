import { printable } from '#base'
import type { BundleInfo, InstalledBundle } from '#engine'
import { alignColumns } from './align-columns.ts'

/** What a bundle of advisories knows: its sources, then its ecosystems. */
export function bundleText({ created, version, advisories, sources, coverage }: BundleInfo): string {
  const rows = sources.map(({ kind, address, asOf, records, remark = '' }) =>
    [kind, records, asOf.slice(0, 10), printable(address, 200), printable(remark, 200)].join('\t'),
  )
  const known = coverage.map(({ ecosystem, source, advisories: count, knows }) =>
    [printable(ecosystem), count, source, knows === 'fixed' ? 'only with a fix' : ''].join('\t'),
  )
  return [
    `created ${created}, ${advisories} advisories, ${version}`,
    '',
    alignColumns(['SOURCE\tRECORDS\tAS OF\tADDRESS\tREMARK', ...rows].join('\n')),
    '',
    alignColumns(['ECOSYSTEM\tADVISORIES\tSOURCE\tREMARK', ...known].join('\n')),
  ].join('\n')
}

/** One line about a bundle that was taken. */
export function installedText({ info: { created, advisories }, unchanged }: InstalledBundle): string {
  const what = `the bundle of ${created} with ${advisories} advisories`
  return unchanged ? `${what} is here already` : `installed ${what}`
}
