import { bytewise } from '#base'
import {
  type Advisories,
  type Advisory,
  type Coverage,
  modularName,
  SEVERITIES,
  type Severity,
} from '#trust/advisories'
import type { Inventory, InventoryPackage, PackageType } from '#trust/inventory'
import { type Compare, comparatorOf, inRange, type Scheme } from '#trust/versions'
import { ecosystemOf, systemEcosystem } from './ecosystems.ts'
import type { Finding, PackageStatus, ScanResult, ScanStatus } from './model.ts'

/** How a type of packages writes its versions. */
const SCHEMES: Readonly<Record<PackageType, Scheme>> = {
  deb: 'deb',
  apk: 'apk',
  rpm: 'rpm',
  npm: 'semver',
  pypi: 'pypi',
  gem: 'gem',
  golang: 'go',
  cargo: 'cargo',
  maven: 'maven',
  composer: 'composer',
  nuget: 'nuget',
}

/**
 * Looks up each package of an inventory in the advisories. `today` (YYYY-MM-DD) says whether the distribution has ended. The same
 * inventory, advisories and day give the same result.
 */
export function matchInventory(inventory: Inventory, advisories: Advisories, options: { today: string }): ScanResult {
  return createMatcher(advisories, options)(inventory)
}

/** `matchInventory` for many inventories: what is found out of a package is remembered for the next one that has it. */
export function createMatcher(
  advisories: Advisories,
  { today }: { today: string },
): (inventory: Inventory) => ScanResult {
  const judge = createJudge(advisories)
  return (inventory) => {
    const ecosystems = inventory.packages.map((one) => ecosystemOf(one, inventory.system))
    const judged = inventory.packages.map((one, index) => judge(one, ecosystems[index]))
    const sources = uniqueSources([...new Set(ecosystems)], advisories)
    const statuses = judged.map(({ status }) => status)
    return {
      inventory,
      ...completeness(inventory, statuses, judged),
      packages: statuses,
      findings: judged.flatMap(({ findings }) => findings).sort(worstFirst),
      sources,
      ...supportOf(inventory, advisories, today),
      advisories: advisories.version,
    }
  }
}

interface Judged {
  readonly status: PackageStatus
  readonly findings: readonly Finding[]
  /** Advisories whose versions cannot be compared with the installed one. */
  readonly unclear: number
}

/** What is known of one version of a source: the same for all packages that were built from it. */
interface SourceVerdict {
  readonly affecting: readonly { readonly advisory: Advisory; readonly fixedVersion: string | undefined }[]
  readonly unclear: number
}

type Judge = (one: InventoryPackage, ecosystem: string | undefined) => Judged

function createJudge(all: Advisories): Judge {
  const find = createMemory<readonly Advisory[]>((found) => found.length)
  const verdicts = createMemory<SourceVerdict | undefined>((verdict) => verdict?.affecting.length ?? 0)
  const advisories: Advisories = {
    ...{ coverage: (ecosystem) => all.coverage(ecosystem), support: (ecosystem) => all.support(ecosystem) },
    ...{ isForeign: (ecosystem, name) => all.isForeign?.(ecosystem, name) ?? false, version: all.version },
    find: (ecosystem, name) => find(`${ecosystem}\n${name}`, () => all.find(ecosystem, name)),
  }
  return (one, ecosystem) => {
    const { name, version } = one.source ?? one
    // Nothing can be looked up without a version; some programs do not say theirs.
    if (version === '' || ecosystem === undefined) return NOT_COVERED
    const key = [one.type, ecosystem, name, version, one.modularity ?? ''].join('\n')
    const verdict = verdicts(key, () => judgeSource(one, ecosystem, advisories))
    if (!verdict) return NOT_COVERED
    const findings = verdict.affecting.map(({ advisory, fixedVersion }) => findingOf(one, advisory, fixedVersion))
    return { status: statusOf(verdict), findings, unclear: verdict.unclear }
  }
}

/** Advisories that are remembered at once, in each of two memories: some 100 MB. */
const REMEMBERED = 100_000

/** Keeps what was made by its key, until it is too much: then all is forgotten. */
function createMemory<T>(sizeOf: (value: T) => number): (key: string, make: () => T) => T {
  const kept = new Map<string, T>()
  let size = 0
  return (key, make) => {
    const before = kept.get(key)
    if (before !== undefined || kept.has(key)) return before as T
    if (size > REMEMBERED) {
      kept.clear()
      size = 0
    }
    const value = make()
    kept.set(key, value)
    size += 1 + sizeOf(value)
    return value
  }
}

function statusOf({ affecting, unclear }: SourceVerdict): PackageStatus {
  if (affecting.length > 0) return 'vulnerable'
  return unclear > 0 ? 'not covered' : 'none known'
}

const NOT_COVERED: Judged = { status: 'not covered', findings: [], unclear: 0 }

/** Undefined when no data covers it. */
function judgeSource(one: InventoryPackage, ecosystem: string, advisories: Advisories): SourceVerdict | undefined {
  const { name, version } = one.source ?? one
  if (advisories.coverage(ecosystem).length === 0 || advisories.isForeign?.(ecosystem, name)) return undefined
  const compare = comparatorOf(SCHEMES[one.type])
  // Some sources tell the streams of a module apart, others do not.
  const inModule = one.modularity === undefined ? undefined : modularName(name, one.modularity)
  const names = inModule === undefined ? [name] : [inModule, name]
  const judged = names
    .flatMap((each) => advisories.find(ecosystem, each))
    .map((advisory) => ({ advisory, verdict: verdictOf(compare, version, advisory) }))
  const affecting = judged.filter(({ verdict }) => verdict === 'affected').map(({ advisory }) => advisory)
  return {
    affecting: withoutAliases(affecting).map((advisory) => ({
      advisory,
      fixedVersion: lowestFix(version, advisory, compare),
    })),
    unclear: judged.filter(({ verdict }) => verdict === 'unknown').length,
  }
}

type Verdict = 'affected' | 'not affected' | 'unknown'

/** Source: OSV schema, "Evaluation". */
function verdictOf(compare: Compare, version: string, { versions = [], ranges }: Advisory): Verdict {
  if (versions.includes(version) || versions.some((one) => compare(one, version) === 0)) return 'affected'
  const verdicts = ranges.map(({ events }) => inRange(compare, version, events))
  if (verdicts.includes('affected')) return 'affected'
  return verdicts.includes('unknown') ? 'unknown' : 'not affected'
}

/** Several advisories of one vulnerability are one finding: that with the most to say, CVE ids before others. */
function withoutAliases(advisories: readonly Advisory[]): Advisory[] {
  const chosen: Advisory[] = []
  const seen = new Set<string>()
  for (const advisory of [...advisories].sort(mostTelling)) {
    const ids = [advisory.id, ...advisory.aliases]
    if (ids.some((id) => seen.has(id))) continue
    for (const id of ids) seen.add(id)
    chosen.push(advisory)
  }
  return chosen
}

function mostTelling(a: Advisory, b: Advisory): number {
  return (
    Number(b.id.startsWith('CVE-')) - Number(a.id.startsWith('CVE-')) ||
    Number(b.severity !== undefined) - Number(a.severity !== undefined) ||
    bytewise(a.id, b.id)
  )
}

function findingOf(one: InventoryPackage, advisory: Advisory, fixedVersion: string | undefined): Finding {
  const cve = advisory.id.startsWith('CVE-') ? undefined : advisory.aliases.find((alias) => alias.startsWith('CVE-'))
  const id = cve ?? advisory.id
  return {
    id,
    aliases: [advisory.id, ...advisory.aliases].filter((alias) => alias !== id).sort(),
    package: one,
    advisory,
    severity: advisory.severity?.level ?? 'unknown',
    ...(fixedVersion === undefined ? {} : { fixedVersion }),
  }
}

/** The nearest version above the installed one at which a range ends. */
function lowestFix(version: string, { ranges }: Advisory, compare: Compare): string | undefined {
  const fixes = ranges
    .flatMap(({ events }) => events.flatMap((event) => ('fixed' in event ? [event.fixed] : [])))
    .filter((fix) => (compare(fix, version) ?? -1) > 0)
  return fixes.sort((a, b) => compare(a, b) ?? 0)[0]
}

function completeness(
  { packages, gaps, layers }: Inventory,
  statuses: readonly PackageStatus[],
  judged: readonly Judged[],
): { status: ScanStatus; reasons: string[]; coverage?: number } {
  const withGaps = new Set(gaps.map(({ where }) => where))
  const unreadLayers = layers.filter(({ digest }) => withGaps.has(digest)).length
  for (const { digest } of layers) withGaps.delete(digest)
  const covered = statuses.filter((status) => status !== 'not covered').length
  const withoutData = judged.filter(({ status, unclear }) => status === 'not covered' && unclear === 0).length
  const unclear = judged.filter((one) => one.unclear > 0).length
  const reasons = [
    ...counted(unreadLayers, 'layer could not be read', 'layers could not be read'),
    ...counted(withGaps.size, 'file could not be read in full', 'files could not be read in full'),
    ...counted(withoutData, 'package has no advisory data', 'packages have no advisory data'),
    ...counted(
      unclear,
      'package has a version that cannot be compared with its advisories',
      'packages have versions that cannot be compared with their advisories',
    ),
  ]
  const failed = layers.length > 0 && unreadLayers === layers.length
  const status = failed ? 'failed' : reasons.length > 0 ? 'partial' : 'complete'
  if (packages.length === 0) return { status, reasons }
  return { status, reasons, coverage: Math.floor((covered / packages.length) * 100) }
}

function counted(count: number, one: string, many: string): string[] {
  return count > 0 ? [`${count} ${count === 1 ? one : many}`] : []
}

function uniqueSources(ecosystems: readonly (string | undefined)[], advisories: Advisories): Coverage[] {
  return ecosystems
    .flatMap((ecosystem) => (ecosystem === undefined ? [] : advisories.coverage(ecosystem)))
    .sort((a, b) => bytewise(a.ecosystem, b.ecosystem) || bytewise(a.source, b.source))
}

function supportOf({ system }: Inventory, advisories: Advisories, today: string): Pick<ScanResult, 'support'> {
  const ecosystem = system && systemEcosystem(system)
  const support = ecosystem === undefined ? undefined : advisories.support(ecosystem)
  if (!support) return {}
  const { endOfLife, extendedUntil } = support
  return { support: { endOfLife, extendedUntil, ended: endOfLife !== undefined && endOfLife < today } }
}

const rank = (severity: Severity) => SEVERITIES.indexOf(severity)

function worstFirst(a: Finding, b: Finding): number {
  return (
    rank(b.severity) - rank(a.severity) ||
    Number(b.advisory.exploited ?? false) - Number(a.advisory.exploited ?? false) ||
    bytewise(a.package.name, b.package.name) ||
    bytewise(a.id, b.id) ||
    bytewise(a.package.version, b.package.version) ||
    bytewise(a.package.path, b.package.path)
  )
}
