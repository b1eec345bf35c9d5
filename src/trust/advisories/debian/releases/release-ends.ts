/** Until when a release has updates. Dates are YYYY-MM-DD. */
interface ReleaseEnds {
  /** As the OSV schema writes it: `12`, `22.04:LTS`. */
  readonly name: string
  readonly endOfLife?: string
  readonly extendedUntil?: string
}

/**
 * What a table of distro-info-data says of a release, by its version. Debian's LTS comes from Debian's own archive
 * and is for all, so the release ends with it; ELTS and Ubuntu's ESM and legacy support are for those who ask or pay
 * for it. Undefined for a release that is not listed. Source: distro-info-data, `debian.csv` and `ubuntu.csv`.
 */
export function releaseEnds(table: string, version: string): ReleaseEnds | undefined {
  const [header, ...rows] = table.split('\n').map((line) => line.trim().split(','))
  const row = rows.find(([name]) => name === version || name === `${version} LTS`)
  if (!header || !row) return undefined
  const dates = (...columns: string[]) =>
    columns
      .map((column) => row[header.indexOf(column)] ?? '')
      .filter(isDate)
      .sort()
  const ends = dates('eol', 'eol-lts', 'eol-server')
  const extended = dates('eol-elts', 'eol-esm', 'eol-legacy')
  return {
    name: row[0]!.replace(' ', ':'),
    ...(ends.length > 0 && { endOfLife: ends.at(-1)! }),
    ...(extended.length > 0 && { extendedUntil: extended.at(-1)! }),
  }
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text)
}
