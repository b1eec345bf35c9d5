import type { Advisory, FixState, Severity } from '../../advisory.ts'
import { isWorse, ratingOf } from '../rating.ts'
import type { RecordFile } from '../records/record-file.ts'
import type { Tally } from '../tally.ts'
import {
  isObject,
  listOf,
  malformed,
  memberOf,
  parseSource,
  requiredText,
  summaryOf,
  textOf,
  textsOf,
  timeOf,
} from '../values.ts'
import { readProductTree } from './product-tree.ts'
import { loadPurls, type ReadPurl, type RpmComponent, rpmComponent } from './rpm-component.ts'

/** Of each list of a document: the kernel's have some hundred thousand. */
const LIST_LIMIT = 2_000_000

/**
 * Advisories of Red Hat's VEX documents (CSAF 2.0), one file per CVE: what is fixed, affected and under investigation in the
 * releases of Enterprise Linux. Packages are named by their source where the document names it, and those of a module
 * as `modularName` has it. A malformed document is skipped and counted.
 */
export async function* readRedHatVex(
  files: AsyncIterable<RecordFile> | Iterable<RecordFile>,
  { tally }: { tally: Tally },
): AsyncGenerator<Advisory> {
  const readPurl = await loadPurls()
  for await (const { name, bytes } of files)
    yield* tally.read(name, () => advisoriesOf(parseSource(bytes, 'the document'), readPurl)) ?? []
}

function advisoriesOf(content: unknown, readPurl: ReadPurl): Advisory[] {
  const document = memberOf(content, 'document')
  if (!isObject(document) || memberOf(document, 'category') !== 'csaf_vex') throw malformed('it', 'is no VEX document')
  const findProduct = readProductTree(memberOf(content, 'product_tree'))
  const modified = timeOf(memberOf(memberOf(document, 'tracking'), 'current_release_date'))
  const aggregate = memberOf(memberOf(document, 'aggregate_severity'), 'text')
  const components = new Map<string, RpmComponent | undefined>()
  const findComponent = (id: string): RpmComponent | undefined => {
    if (!components.has(id)) {
      const product = findProduct(id)
      components.set(id, product && rpmComponent(product, readPurl))
    }
    return components.get(id)
  }
  return listOf(memberOf(content, 'vulnerabilities'), 'vulnerabilities', LIST_LIMIT).flatMap((vulnerability) =>
    readVulnerability(vulnerability, { findComponent, aggregate, modified }),
  )
}

interface Context {
  readonly findComponent: (id: string) => RpmComponent | undefined
  /** Red Hat's rating of the vulnerability as a whole. */
  readonly aggregate: unknown
  readonly modified: string | undefined
}

function readVulnerability(vulnerability: unknown, { findComponent, aggregate, modified }: Context): Advisory[] {
  const id = requiredText(memberOf(vulnerability, 'cve'), 'the document', 'cve')
  const impacts = byProduct(vulnerability, 'threats', (threat) =>
    memberOf(threat, 'category') === 'impact' ? ratingOf(memberOf(threat, 'details')) : undefined,
  )
  const states = byProduct(vulnerability, 'remediations', stateOf)
  const found = new Map<string, Found>()
  const status = memberOf(vulnerability, 'product_status')
  for (const [name, meaning] of STATUSES) {
    for (const product of textsOf(memberOf(status, name), `${id}: ${name}`, LIST_LIMIT)) {
      const component = findComponent(product)
      if (!component || (meaning === 'fixed' && component.version === undefined)) continue
      const one = foundOf(found, component)
      if (meaning === 'fixed') one.fixed.add(component.version!)
      else one.state ??= meaning === 'not fixed' ? (states.get(product) ?? meaning) : meaning
      const level = impacts.get(product) ?? ratingOf(aggregate)
      if (isWorse(level, one.level)) one.level = level
    }
  }
  const common = { ...commonOf(vulnerability, id), ...(modified && { modified }) }
  const score = scoreOf(vulnerability)
  return sourcesFirst([...found.values()]).map((one) => advisoryOf(id, one, { ...common, score }))
}

const STATUSES: readonly (readonly [string, FixState])[] = [
  ['fixed', 'fixed'],
  ['known_affected', 'not fixed'],
  ['under_investigation', 'under investigation'],
]

/** What the statuses of a vulnerability say of one package of one release. */
interface Found extends RpmComponent {
  /** One for each minor release that got its own update. */
  readonly fixed: Set<string>
  state: FixState | undefined
  level: Severity | undefined
}

function foundOf(all: Map<string, Found>, component: RpmComponent): Found {
  const key = JSON.stringify([component.ecosystem, component.name, component.isSource])
  const known = all.get(key) ?? { ...component, fixed: new Set(), state: undefined, level: undefined }
  all.set(key, known)
  return known
}

/** Binary packages count only in a release of which the document names no source package. */
function sourcesFirst(all: readonly Found[]): Found[] {
  const withSources = new Set(all.filter(({ isSource }) => isSource).map(({ ecosystem }) => ecosystem))
  return all.filter(({ ecosystem, isSource }) => isSource || !withSources.has(ecosystem))
}

function byProduct<T>(vulnerability: unknown, list: string, read: (entry: unknown) => T | undefined): Map<string, T> {
  const values = new Map<string, T>()
  for (const entry of listOf(memberOf(vulnerability, list), list, LIST_LIMIT)) {
    const value = read(entry)
    if (value === undefined) continue
    for (const id of textsOf(memberOf(entry, 'product_ids'), list, LIST_LIMIT)) values.set(id, value)
  }
  return values
}

/** Source: CSAF 2.0 section 3.2.3.12.1; the details are Red Hat's words. */
function stateOf(remediation: unknown): FixState | undefined {
  const category = memberOf(remediation, 'category')
  if (category === 'no_fix_planned') return 'will not fix'
  if (category !== 'none_available') return undefined
  return /deferred/i.test(textOf(memberOf(remediation, 'details')) ?? '') ? 'deferred' : 'not fixed'
}

function commonOf(vulnerability: unknown, id: string): Pick<Advisory, 'summary' | 'url' | 'published'> {
  const notes = listOf(memberOf(vulnerability, 'notes'), 'notes', LIST_LIMIT)
  const summary = summaryOf(memberOf(vulnerability, 'title'), memberOf(notes[0], 'text'))
  const published = timeOf(memberOf(vulnerability, 'release_date'))
  return {
    ...(summary && { summary }),
    url: `https://access.redhat.com/security/cve/${encodeURIComponent(id)}`,
    ...(published && { published }),
  }
}

type Score = { readonly score: number; readonly vector: string }

function scoreOf(vulnerability: unknown): Score | undefined {
  for (const entry of listOf(memberOf(vulnerability, 'scores'), 'scores', LIST_LIMIT)) {
    const cvss = memberOf(entry, 'cvss_v4') ?? memberOf(entry, 'cvss_v3')
    const score = memberOf(cvss, 'baseScore')
    const vector = textOf(memberOf(cvss, 'vectorString'))
    if (typeof score === 'number' && score >= 0 && score <= 10 && vector) return { score, vector }
  }
  return undefined
}

function advisoryOf(
  id: string,
  { ecosystem, name, fixed, state, level }: Found,
  { score, ...common }: Pick<Advisory, 'summary' | 'url' | 'published' | 'modified'> & { score: Score | undefined },
): Advisory {
  const versions = [...fixed].sort()
  return {
    id,
    aliases: [],
    ecosystem,
    name,
    ranges:
      versions.length > 0
        ? versions.map((version) => ({ events: [{ introduced: '0' }, { fixed: version }] }))
        : [{ events: [{ introduced: '0' }] }],
    state: versions.length > 0 ? 'fixed' : (state ?? 'not fixed'),
    ...(level && { severity: { level, by: 'redhat', ...score } }),
    ...common,
    source: 'redhat-vex',
    ...(versions.length > 1 && { remark: 'fixed for each minor release by itself; the last of these versions counts' }),
  }
}
