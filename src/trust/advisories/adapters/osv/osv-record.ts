import { BaleError } from '#base'
import type { Advisory, RangeEvent, VersionRange } from '../../advisory.ts'
import type { ScoreVector } from '../cvss.ts'
import { isWorse } from '../rating.ts'
import {
  isObject,
  listOf,
  type Members,
  malformed,
  memberOf,
  requiredText,
  summaryOf,
  textOf,
  textsOf,
  timeOf,
} from '../values.ts'
import { isDistribution, osvEcosystem } from './osv-ecosystems.ts'
import { type Identity, identitiesOf } from './osv-identities.ts'
import { osvSeverity } from './osv-severity.ts'

/** Of each list of a record. The Linux kernel's have the longest ones, some thousands. */
const LIST_LIMIT = 50_000

/** Of one record: packages times vulnerabilities. A notice of the kernel has a thousand vulnerabilities and some hundred packages. */
const ADVISORIES_LIMIT = 4_000_000

/** What a record says, checked: its packages and its vulnerabilities, each of which is one of all its packages. */
interface OsvRecord {
  readonly packages: readonly AffectedPackage[]
  readonly identities: readonly Identity[]
  readonly common: Common
}

/**
 * Reads a record. It has no packages when it is withdrawn, or names commits only. Source: OSV schema 1.7. Throws INVALID_ARCHIVE
 * or LIMIT_EXCEEDED for a malformed one.
 */
export function readOsvRecord(record: unknown, score: ScoreVector): OsvRecord {
  if (!isObject(record)) throw malformed('it', 'is no OSV record')
  const id = requiredText(memberOf(record, 'id'), 'the record', 'id')
  const affected = listOf(memberOf(record, 'affected'), `${id}: affected`, LIST_LIMIT)
  if (!Object.hasOwn(record, 'affected') && !Object.hasOwn(record, 'modified')) throw malformed(id, 'is no OSV record')
  const packages = new Map<string, AffectedPackage>()
  const isWithdrawn = textOf(memberOf(record, 'withdrawn')) !== undefined
  if (!isWithdrawn) for (const entry of affected) addAffected(packages, entry, { record, id, score })
  const identities = identitiesOf(record, id)
  if (packages.size * identities.length > ADVISORIES_LIMIT)
    throw new BaleError('LIMIT_EXCEEDED', `${id} makes more than ${ADVISORIES_LIMIT} advisories`)
  return { packages: [...packages.values()], identities, common: commonOf(record, id) }
}

/** The advisories of a record: one for each package of each ecosystem, and for each vulnerability of a notice of several. */
export function* advisoriesOf({ packages, identities, common }: OsvRecord): Generator<Advisory> {
  for (const one of packages) for (const identity of identities) yield advisoryOf(one, identity, common)
}

interface AffectedPackage extends Pick<Advisory, 'ecosystem' | 'name' | 'severity'> {
  readonly ranges: VersionRange[]
  readonly versions: Set<string>
  severity?: Advisory['severity']
}

interface Context {
  readonly record: Members
  readonly id: string
  readonly score: ScoreVector
}

/** A record may name a package more than once, with a range each. */
function addAffected(packages: Map<string, AffectedPackage>, entry: unknown, { record, id, score }: Context): void {
  if (!isObject(entry)) throw malformed(id, 'affects something that is no object')
  const named = memberOf(entry, 'package')
  // Records of commits of a repository name no package.
  if (named === undefined || named === null) return
  const ecosystem = osvEcosystem(requiredText(memberOf(named, 'ecosystem'), id, 'ecosystem'))
  const name = requiredText(memberOf(named, 'name'), id, 'package name')
  const ranges = rangesOf(entry, id)
  const versions = textsOf(memberOf(entry, 'versions'), `${id}: versions`, LIST_LIMIT)
  if (ecosystem === undefined || (ranges.length === 0 && versions.length === 0)) return
  const key = JSON.stringify([ecosystem, name])
  const known = packages.get(key) ?? { ecosystem, name, ranges: [], versions: new Set() }
  known.ranges.push(...ranges)
  // Distributions list all versions that a range has, thousands for some packages. Registries of languages have versions
  // whose order nobody can tell, so there both count.
  if (ranges.length === 0 || !isDistribution(ecosystem)) for (const version of versions) known.versions.add(version)
  const severity = osvSeverity(record, entry, id, score)
  if (isWorse(severity?.level, known.severity?.level)) known.severity = severity
  packages.set(key, known)
}

/** Ranges of commits say nothing of a package's versions. */
function rangesOf(entry: Members, id: string): VersionRange[] {
  return listOf(memberOf(entry, 'ranges'), `${id}: ranges`, LIST_LIMIT).flatMap((range) => {
    if (memberOf(range, 'type') === 'GIT') return []
    const events = listOf(memberOf(range, 'events'), `${id}: events`, LIST_LIMIT).flatMap((event) =>
      eventsOf(event, id),
    )
    if (events.length === 0) throw malformed(id, 'has a range without events')
    return [{ events }]
  })
}

function eventsOf(event: unknown, id: string): RangeEvent[] {
  const found = EVENTS.flatMap(([name, make]) => {
    const version = memberOf(event, name)
    return version === undefined || version === null ? [] : [make(requiredText(version, id, name))]
  })
  if (found.length === 0) throw malformed(id, 'has an event that says nothing')
  return found
}

const EVENTS: readonly (readonly [string, (version: string) => RangeEvent])[] = [
  ['introduced', (introduced) => ({ introduced })],
  ['fixed', (fixed) => ({ fixed })],
  ['last_affected', (lastAffected) => ({ lastAffected })],
  ['limit', (limit) => ({ limit })],
]

type Common = Pick<Advisory, 'summary' | 'url' | 'published' | 'modified' | 'remark'>

function commonOf(record: Members, id: string): Common {
  const summary = summaryOf(memberOf(record, 'summary'), memberOf(record, 'details'))
  const published = timeOf(memberOf(record, 'published'))
  const modified = timeOf(memberOf(record, 'modified'))
  return {
    ...(summary && { summary }),
    url: `https://osv.dev/vulnerability/${encodeURIComponent(id)}`,
    ...(published && { published }),
    ...(modified && { modified }),
    ...(id.startsWith('MAL-') && { remark: 'the package itself is malicious' }),
  }
}

function advisoryOf(affected: AffectedPackage, { id, aliases, remark }: Identity, common: Common): Advisory {
  const { ecosystem, name, ranges, severity } = affected
  const versions = [...affected.versions]
  return {
    id,
    aliases,
    ecosystem,
    name,
    ranges,
    ...(versions.length > 0 && { versions }),
    state: ranges.some(({ events }) => events.some((event) => 'fixed' in event)) ? 'fixed' : 'not fixed',
    ...(severity && { severity }),
    ...common,
    ...(remark && { remark }),
    source: 'osv',
  }
}
