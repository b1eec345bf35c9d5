import type { Advisory } from '../advisory.ts'
import { isNewer } from './archive/index.ts'
import type { ChangelogEntry } from './changelog/index.ts'

/** The newest versions of a source package that a release has. */
export interface SourceUpdate {
  /** `Debian:12` */
  readonly ecosystem: string
  readonly source: string
  /** In the security archive. */
  readonly security?: string
  /** In all of the release's archives. */
  readonly newest: string
}

/** What is known of the changes up to the newest version. */
interface ReadChangelog {
  /** Newest first; those that no asked version is below may be missing. */
  readonly entries: readonly ChangelogEntry[]
}

/**
 * What an archive says of a source package. Each CVE id that the changelog names is an advisory: versions below that
 * of the highest entry that names it are affected. A version of the security archive for which no id is known is an
 * advisory by itself. A version that only came by a point release is none: most of those fix something else.
 */
export function adviseUpdate(update: SourceUpdate, changelog?: ReadChangelog): Advisory[] {
  const fixes = fixesIn(changelog?.entries ?? [], update.newest)
  const named = [...fixes].map(([id, fixed]) => namedAdvisory(update, id, fixed))
  const { security } = update
  if (security === undefined) return named
  const before = [...fixes.values()].filter((fixed) => !isNewer(fixed, security))
  const from = before.reduce<string | undefined>(newerOf, undefined)
  return from === security ? named : [...named, unnamedAdvisory(update, security, from, changelog !== undefined)]
}

/** For each id the version from which on it is fixed. */
function fixesIn(entries: readonly ChangelogEntry[], newest: string): ReadonlyMap<string, string> {
  const fixes = new Map<string, string>()
  for (const { version, ids } of entries) {
    // Some entries are of branches with higher numbers, whose changes came back in a lower one.
    const fixed = isNewer(version, newest) ? newest : version
    for (const id of ids) fixes.set(id, newerOf(fixes.get(id), fixed))
  }
  return fixes
}

function newerOf(one: string | undefined, other: string): string {
  return one !== undefined && isNewer(one, other) ? one : other
}

function namedAdvisory({ ecosystem, source, security }: SourceUpdate, id: string, fixed: string): Advisory {
  const isOfSecurity = security !== undefined && !isNewer(fixed, security)
  return {
    id,
    aliases: [],
    ecosystem,
    name: source,
    ranges: [{ events: [{ introduced: '0' }, { fixed }] }],
    state: 'fixed',
    url: `https://security-tracker.debian.org/tracker/${id}`,
    source: 'debian-changelog',
    remark: isOfSecurity
      ? 'named in the changelog of the update'
      : 'named in the changelog of an update by a point release',
  }
}

function unnamedAdvisory(
  { ecosystem, source }: SourceUpdate,
  security: string,
  from: string | undefined,
  isRead: boolean,
): Advisory {
  return {
    id: `DEBIAN-UPDATE-${source}-${security}`,
    aliases: [],
    ecosystem,
    name: source,
    ranges: [{ events: [{ introduced: from ?? '0' }, { fixed: security }] }],
    state: 'fixed',
    summary: `A security update of ${source} is available`,
    url: `https://security-tracker.debian.org/tracker/source-package/${encodeURIComponent(source)}`,
    source: 'debian-index',
    remark: isRead
      ? 'an update of the security archive whose changelog names no CVE id'
      : 'an update of the security archive; its changelog, which may name CVE ids, was not read',
  }
}
