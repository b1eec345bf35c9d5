import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { asError, BaleError } from '#base'
import type { Advisory, Coverage, Severity } from '#trust/advisories'
import type { Inventory, InventoryPackage, PackageType } from '#trust/inventory'
import type { Finding, PackageStatus, ScanResult } from '#trust/match'
import type { GateFinding, ScanFacts } from '../decide/index.ts'

/** What is stored of a result: that of a scan, without what its inventory says. */
interface StoredResult extends Pick<ScanResult, 'status' | 'reasons' | 'coverage' | 'support' | 'advisories'> {
  readonly schema: 1
  /** A letter for each package of the inventory. */
  readonly packages: string
  readonly sources: readonly Coverage[]
  readonly affected: readonly AffectedPackage[]
  readonly known: readonly KnownVulnerability[]
  /** The worst first. */
  readonly findings: readonly StoredFinding[]
}

/** A package that has findings, so that gates need no inventory. */
type AffectedPackage = readonly [inInventory: number, type: PackageType, name: string, version: string, source?: string]
/** Indexes in `affected` and `known`, and the lowest version with a fix. */
type StoredFinding = readonly [affected: number, known: number, fixedVersion?: string]

interface KnownVulnerability {
  readonly id: string
  readonly aliases: readonly string[]
  readonly severity: Severity
  readonly advisory: Omit<Advisory, 'ranges' | 'versions'>
}

/** Bytes of JSON. The inventory of the largest images has some 10 MB. */
export const TEXT_LIMIT = 64 * 1024 * 1024

const STATUS_LETTERS: Readonly<Record<PackageStatus, string>> = {
  vulnerable: 'v',
  'none known': '-',
  'not covered': 'n',
}
const STATUSES = new Map(Object.entries(STATUS_LETTERS).map(([status, letter]) => [letter, status as PackageStatus]))

/** A result as it is stored: all that reports show of it, but for its inventory. LIMIT_EXCEEDED above 64 MiB of text. */
export function encodeResult(result: ScanResult): Uint8Array {
  const { status, reasons, coverage, support, sources, advisories } = result
  const indexes = new Map(result.inventory.packages.map((one, index) => [one, index]))
  const affected = new Map<InventoryPackage, number>()
  const vulnerabilities = new KnownVulnerabilities()
  const findings = result.findings.map(({ package: one, fixedVersion, ...finding }): StoredFinding => {
    const at = affected.get(one) ?? affected.size
    affected.set(one, at)
    const known = vulnerabilities.indexOf(finding)
    return fixedVersion === undefined ? [at, known] : [at, known, fixedVersion]
  })
  const stored: StoredResult = {
    schema: 1,
    ...{ status, reasons, coverage, support, sources, advisories },
    packages: result.packages.map((one) => STATUS_LETTERS[one]).join(''),
    affected: [...affected.keys()].map((one): AffectedPackage => {
      const { type, name, version, source } = one
      const said = [indexes.get(one) ?? -1, type, name, version] as const
      return source ? [...said, source.name] : said
    }),
    known: vulnerabilities.all,
    findings,
  }
  return compressed(stored, 'the result of a scan')
}

/** The packages of one source have the same vulnerabilities. */
class KnownVulnerabilities {
  readonly all: KnownVulnerability[] = []
  readonly #places = new Map<Advisory, number>()

  indexOf({ id, aliases, severity, advisory }: Omit<Finding, 'package'>): number {
    const before = this.#places.get(advisory)
    if (before !== undefined && this.all[before]!.id === id) return before
    const { ranges: _, versions: __, ...shown } = advisory
    this.#places.set(advisory, this.all.length)
    return this.all.push({ id, aliases, severity, advisory: shown }) - 1
  }
}

/** The result with the inventory that it is of. Its advisories have no ranges of versions. STORE_DAMAGED for other bytes. */
export function decodeResult(bytes: Uint8Array, inventory: Inventory): ScanResult {
  const stored = readStored(bytes)
  const { status, reasons, coverage, support, sources, advisories } = stored
  const affected = stored.affected.map(
    ([index, type, name, version]) => inventory.packages[index] ?? { type, name, version, path: '', layer: 0 },
  )
  const known = stored.known.map((one) => ({ ...one, advisory: { ...one.advisory, ranges: [] } }))
  return {
    ...{ inventory, status, reasons, sources, advisories },
    ...(coverage !== undefined && { coverage }),
    ...(support && { support }),
    packages: [...stored.packages].map((letter) => STATUSES.get(letter) ?? 'not covered'),
    findings: stored.findings.map(([at, of, fixedVersion]) => ({
      ...known[of]!,
      package: affected[at]!,
      ...(fixedVersion !== undefined && { fixedVersion }),
    })),
  }
}

/** An inventory as it is stored. LIMIT_EXCEEDED above 64 MiB of text. */
export function encodeInventory(inventory: Inventory): Uint8Array {
  return compressed(inventory, 'the list of its packages')
}

/** STORE_DAMAGED for other bytes. */
export function decodeInventory(bytes: Uint8Array): Inventory {
  return decompressed(bytes, 'an inventory') as Inventory
}

/**
 * What gates judge by, of a result as it is stored. `knownFor` has milliseconds by `findingKey`; what is not in it is known since
 * just now. `now` is in milliseconds since 1970. STORE_DAMAGED for other bytes.
 */
export function scanFactsOf(
  bytes: Uint8Array,
  { knownFor, now }: { knownFor: ReadonlyMap<string, number>; now: number },
): ScanFacts {
  const stored = readStored(bytes)
  const findings = stored.findings.map(([at, of, fixedVersion]): GateFinding => {
    const [, type, name, version, source] = stored.affected[at]!
    const { id, aliases, severity, advisory } = stored.known[of]!
    return {
      ...{ id, aliases, severity, version },
      package: `${type}/${name}`,
      ...(source !== undefined && { source: `${type}/${source}` }),
      fixable: fixedVersion !== undefined,
      exploited: advisory.exploited ?? false,
      knownFor: knownFor.get(findingKey(id, { type, name })) ?? 0,
    }
  })
  return {
    status: stored.status,
    reasons: stored.reasons,
    findings,
    dataAge: ageOf(stored.sources, now),
  }
}

/** Of the oldest data that it stands on; 0 when there is none. */
function ageOf(sources: readonly Coverage[], now: number): number {
  const times = sources.map(({ asOf }) => Date.parse(asOf)).filter((time) => !Number.isNaN(time))
  return times.length === 0 ? 0 : Math.max(0, now - Math.min(...times))
}

/** What the registry notes of a finding to know since when it has been known: `CVE-2024-1 deb/libssl3`. */
function findingKey(id: string, { type, name }: { type: string; name: string }): string {
  return `${id} ${type}/${name}`
}

/** The keys of all findings of a result, each once. */
export function findingKeys(result: ScanResult): string[] {
  return [...new Set(result.findings.map((one) => findingKey(one.id, one.package)))]
}

/** The same, of a result as it is stored. */
export function storedFindingKeys(bytes: Uint8Array): string[] {
  const { findings, affected, known } = readStored(bytes)
  const keys = findings.map(([at, of]) => {
    const [, type, name] = affected[at]!
    return findingKey(known[of]!.id, { type, name })
  })
  return [...new Set(keys)]
}

function compressed(value: object, what: string): Uint8Array {
  const text = Buffer.from(JSON.stringify(value))
  if (text.byteLength <= TEXT_LIMIT) return zstdCompressSync(text)
  throw new BaleError('LIMIT_EXCEEDED', `${what} has ${text.byteLength} bytes; at most ${TEXT_LIMIT} are stored`)
}

function readStored(bytes: Uint8Array): StoredResult {
  const stored = decompressed(bytes, 'the result of a scan') as StoredResult
  if (stored.schema === 1) return stored
  throw new BaleError('STORE_VERSION', 'the result of a scan was written by a newer bale', {
    next: { act: 'use-newer-bale' },
  })
}

function decompressed(bytes: Uint8Array, what: string): object {
  try {
    const value: unknown = JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: TEXT_LIMIT }).toString())
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    throw new BaleError('STORE_DAMAGED', `${what} cannot be read: ${asError(error).message}`, { cause: error })
  }
  throw new BaleError('STORE_DAMAGED', `${what} cannot be read: it is not an object`)
}
