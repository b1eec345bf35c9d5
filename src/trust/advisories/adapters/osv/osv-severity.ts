import { table } from '#base'
import type { Advisory } from '../../advisory.ts'
import type { CvssScore, ScoreVector } from '../cvss.ts'
import { ratingOf } from '../rating.ts'
import { listOf, type Members, memberOf, textOf } from '../values.ts'

type Rated = NonNullable<Advisory['severity']>

/** Who rates the records of a database, by the prefix of its ids. */
const DATABASES = table<string>({
  GHSA: 'github',
  PYSEC: 'pypa',
  RUSTSEC: 'rustsec',
  GO: 'go',
  MAL: 'openssf',
  DEBIAN: 'debian',
  DSA: 'debian',
  DLA: 'debian',
  UBUNTU: 'ubuntu',
  USN: 'ubuntu',
  ALPINE: 'alpine',
  RHSA: 'redhat',
  RLSA: 'rocky',
  ALSA: 'alma',
  BIT: 'bitnami',
})

/**
 * How bad a record says it is for one of its packages: the word of who keeps the database, for the package or for all, else
 * what its CVSS vector means, the newest version of CVSS first. A score is added to a word when there is one.
 */
export function osvSeverity(record: Members, affected: Members, id: string, score: ScoreVector): Rated | undefined {
  const by = DATABASES[id.split('-', 1)[0]!] ?? 'osv'
  const entries = [...severityList(affected), ...severityList(record)]
  const scored = bestScore(entries, score)
  const level = wordsOf(record, affected, entries).map(ratingOf).find(Boolean)
  if (level) return { level, by, ...(scored && { score: scored.score, vector: scored.vector }) }
  if (scored) return { level: scored.level, by, score: scored.score, vector: scored.vector }
  // A package that is malware has no rating.
  return id.startsWith('MAL-') ? { level: 'critical', by } : undefined
}

function severityList(holder: Members): readonly unknown[] {
  return listOf(memberOf(holder, 'severity'), 'severity', 100)
}

/** Ubuntu's priority is an entry of its own type, Debian's urgency a member of the package. */
function wordsOf(record: Members, affected: Members, entries: readonly unknown[]): unknown[] {
  const own = [memberOf(affected, 'ecosystem_specific'), memberOf(affected, 'database_specific')]
  return [
    ...own.flatMap((holder) => ['severity', 'urgency', 'ubuntu_priority'].map((name) => memberOf(holder, name))),
    ...entries.filter((entry) => !isCvss(entry)).map((entry) => memberOf(entry, 'score')),
    memberOf(memberOf(record, 'database_specific'), 'severity'),
  ]
}

function isCvss(entry: unknown): boolean {
  return textOf(memberOf(entry, 'type'))?.startsWith('CVSS_') ?? false
}

function bestScore(entries: readonly unknown[], score: ScoreVector): CvssScore | undefined {
  const vectors = entries.filter(isCvss).flatMap((entry) => textOf(memberOf(entry, 'score')) ?? [])
  // Vectors of CVSS 2 have no prefix, so that the newest version is the greatest text; those of one version keep their order.
  const newestFirst = vectors.toSorted((a, b) =>
    versionOf(a) < versionOf(b) ? 1 : versionOf(a) > versionOf(b) ? -1 : 0,
  )
  for (const vector of newestFirst) {
    const scored = score(vector)
    if (scored) return scored
  }
  return undefined
}

const versionOf = (vector: string) => (vector.startsWith('CVSS:') ? vector.slice(5, 8) : '2.0')
