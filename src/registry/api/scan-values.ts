import * as v from 'valibot'
import { BaleError } from '#base'
import { SEVERITIES } from '#trust/advisories'
import type { Finding, ScanResult } from '#trust/match'
import type { ImageReport } from '../policies/index.ts'
import { storedDigest, time, wholeNumber } from './values.ts'

const texts = v.array(v.string())
const maybe = v.optional(v.string())
const described = (description: string) => v.optional(v.pipe(v.string(), v.description(description)))
const severity = v.picklist(SEVERITIES)

const inventoryPackage = v.object({
  type: v.pipe(v.string(), v.description('As in package URLs: deb, npm')),
  name: v.string(),
  version: v.string(),
  architecture: maybe,
  source: v.optional(v.object({ name: v.string(), version: v.string() })),
  licences: v.optional(texts),
  vendor: maybe,
  modularity: maybe,
  path: v.pipe(v.string(), v.description('The file that proves it')),
  layer: wholeNumber('Index of the layer that brought it'),
})

const inventory = v.object({
  analyser: wholeNumber('Version of the analysis'),
  manifest: storedDigest,
  system: v.optional(
    v.object({ id: v.string(), version: maybe, codename: maybe, name: maybe, like: v.optional(texts) }),
  ),
  layers: v.array(v.object({ digest: storedDigest, diffId: storedDigest, createdBy: maybe })),
  packages: v.array(inventoryPackage),
  gaps: v.array(v.object({ where: v.string(), reason: v.string() })),
})

const vulnerability = v.object({
  id: v.string(),
  aliases: texts,
  severity,
  advisory: v.object({
    id: v.string(),
    aliases: texts,
    ecosystem: v.string(),
    name: v.string(),
    state: v.picklist(['fixed', 'not fixed', 'will not fix', 'deferred', 'under investigation']),
    severity: v.optional(v.object({ level: severity, by: v.string(), score: v.optional(v.number()), vector: maybe })),
    summary: maybe,
    url: maybe,
    published: maybe,
    modified: maybe,
    source: v.string(),
    exploited: v.optional(v.boolean()),
    exploitProbability: v.optional(v.number()),
    remark: maybe,
  }),
})

const finding = v.object({
  package: wholeNumber('Index in affected'),
  vulnerability: wholeNumber('Index in vulnerabilities'),
  fixedVersion: maybe,
  suppressed: v.optional(
    v.object({
      by: v.pipe(v.string(), v.description('exception, VEX')),
      reason: v.string(),
      expires: described('Date (YYYY-MM-DD) from which it counts again'),
      author: maybe,
    }),
  ),
})

const result = v.object({
  status: v.picklist(['complete', 'partial', 'failed']),
  reasons: v.pipe(texts, v.description('Why it is not complete')),
  coverage: v.optional(wholeNumber('Percentage of packages that the data covers', 0, 100)),
  support: v.optional(v.object({ endOfLife: maybe, ended: v.boolean(), extendedUntil: maybe })),
  advisories: v.pipe(v.string(), v.description('Version of the data')),
  sources: v.array(
    v.object({
      ecosystem: v.string(),
      source: v.string(),
      knows: v.picklist(['all', 'fixed']),
      asOf: v.string(),
      advisories: v.number(),
      remark: maybe,
    }),
  ),
  inventory,
  packages: v.pipe(
    v.array(v.picklist(['vulnerable', 'none known', 'not covered'])),
    v.description('By the index of the package in the inventory'),
  ),
  affected: v.pipe(v.array(inventoryPackage), v.description('Packages with findings')),
  vulnerabilities: v.array(vulnerability),
  findings: v.pipe(v.array(finding), v.description('The worst first')),
})
type Told = v.InferOutput<typeof result>

/** The report on one image; what several findings share is listed once. */
export const imageReport = v.object({
  digest: storedDigest,
  platform: described('As an index has it: linux/amd64'),
  state: v.pipe(
    v.picklist(['none', 'waiting', 'running', 'scanned', 'failed']),
    v.description('none: not an image, or never queued'),
  ),
  failure: described('Why it failed last'),
  queuedAt: v.optional(time('When it was queued last.')),
  endedAt: v.optional(time('When its last scan ended.')),
  said: v.optional(
    v.object({
      kind: v.picklist(['quarantined', 'released']),
      reason: v.string(),
      author: v.string(),
      at: time('When it was said.'),
    }),
  ),
  release: v.optional(
    v.pipe(
      v.object({
        outcome: v.pipe(v.picklist(['allowed', 'wait', 'blocked']), v.description('wait: pulls wait for the scan')),
        reasons: v.pipe(texts, v.description('Why not; of what is allowed, warnings')),
      }),
      v.description('The present verdict on pulls, where gates concern the repository'),
    ),
  ),
  resultAt: v.optional(time('When the result was made.')),
  result: v.optional(result),
})

type ToldReport = v.InferInput<typeof imageReport>

export function toldOf({ result: found, ...report }: ImageReport): ToldReport {
  return found ? { ...report, result: toldResult(found) } : report
}

export function reportOf({ result: told, ...report }: ToldReport): ImageReport {
  return told ? { ...report, result: resultOf(told) } : report
}

/** The packages of one source have the same vulnerabilities, and a package has many. */
function toldResult({ findings, ...rest }: ScanResult): Told {
  const affected = new Map<Finding['package'], number>()
  const places = new Map<Finding['advisory'], number>()
  const vulnerabilities: Omit<Finding, 'package' | 'fixedVersion' | 'suppressed'>[] = []
  const told = findings.map(({ package: of, fixedVersion, suppressed, ...vulnerability }) => {
    const { advisory } = vulnerability
    if (!places.has(advisory)) places.set(advisory, vulnerabilities.push(vulnerability) - 1)
    if (!affected.has(of)) affected.set(of, affected.size)
    return { package: affected.get(of)!, vulnerability: places.get(advisory)!, fixedVersion, suppressed }
  })
  // The schema library has no read-only arrays.
  return { ...rest, affected: [...affected.keys()], vulnerabilities, findings: told } as unknown as Told
}

/** REGISTRY_FAILED when a finding refers to something that is not listed. */
function resultOf({ affected, vulnerabilities, findings, ...rest }: Told): ScanResult {
  const known = vulnerabilities.map((one) => ({ ...one, advisory: { ...one.advisory, ranges: [] } }))
  const told = findings.map(({ package: of, vulnerability, ...finding }) => {
    const [found, what] = [affected[of], known[vulnerability]]
    if (found && what) return { ...what, ...finding, package: found }
    throw new BaleError('REGISTRY_FAILED', 'the registry listed a finding without its package or vulnerability')
  })
  return { ...rest, findings: told } as ScanResult
}
