import { fitsText } from '#base'
import type { Reference } from '#spec'
import type { Inventory } from '#trust/inventory'
import type { Finding, Suppression } from '#trust/match'
import { purlOf } from '#trust/sbom'
import type { IgnoreEntry } from './ignore-entry.ts'
import { includes, type Subject, subjectOf } from './products.ts'
import type { VexStatement } from './statement.ts'

/** What decides which findings count. */
interface SuppressOptions {
  readonly inventory: Pick<Inventory, 'manifest' | 'system'>
  /** The image's name in a registry, by which VEX documents may name it. */
  readonly reference?: Reference
  readonly ignoreFile?: readonly IgnoreEntry[]
  /** Of all documents. A later statement replaces an earlier one, by their times and then by their order here. */
  readonly vex?: readonly VexStatement[]
  /** YYYY-MM-DD. */
  readonly today: string
}

/** Findings after it is known which of them count. */
interface Suppressed {
  /** All of them, in their order. */
  readonly findings: readonly Finding[]
  /** Entries that would have suppressed a finding but have expired. */
  readonly expired: readonly IgnoreEntry[]
  /** Entries that match no finding: they may be left over, or wrong. */
  readonly unused: readonly IgnoreEntry[]
}

/**
 * Marks findings that do not count, by an ignore file and by VEX. What is already marked stays marked. A VEX document suppresses what it
 * says is not affected or fixed; `fixed` only at the versions that it names, since the installed one is what matters.
 */
export function suppress(findings: readonly Finding[], options: SuppressOptions): Suppressed {
  const { ignoreFile = [], vex = [], today } = options
  const entries = byId(ignoreFile, ({ id }) => [id])
  // Sorting keeps the order of equals, so of statements of the same time the last of all comes first.
  const latestFirst = vex.toReversed().sort((one, other) => other.time - one.time)
  const ranks = new Map(latestFirst.map((statement, rank) => [statement, rank]))
  const statements = byId(latestFirst, ({ ids }) => ids)
  const subject = subjectOf(options.inventory, options.reference)
  const used = new Set<IgnoreEntry>()
  const marked = findings.map((finding): Finding => {
    const matching = namedBy(finding, entries).filter((entry) => concerns(entry, finding, subject))
    for (const entry of matching) used.add(entry)
    if (finding.suppressed) return finding
    const entry = matching.find((one) => !isOver(one, today))
    if (entry) return { ...finding, suppressed: suppressionBy(entry) }
    const said = namedBy(finding, statements).sort((one, other) => ranks.get(one)! - ranks.get(other)!)
    const suppressed = suppressionOf(said, finding, subject)
    return suppressed ? { ...finding, suppressed } : finding
  })
  return {
    findings: marked,
    expired: ignoreFile.filter((entry) => used.has(entry) && isOver(entry, today)),
    unused: ignoreFile.filter((entry) => !used.has(entry)),
  }
}

const isOver = ({ expires }: IgnoreEntry, today: string) => expires !== undefined && expires <= today

/** Names of vulnerabilities have no case. */
function byId<T>(all: readonly T[], idsOf: (one: T) => readonly string[]): Map<string, T[]> {
  const found = new Map<string, T[]>()
  for (const one of all) {
    for (const id of new Set(idsOf(one).map((name) => name.toUpperCase()))) {
      const group = found.get(id)
      if (group) group.push(one)
      else found.set(id, [one])
    }
  }
  return found
}

function namedBy<T>({ id, aliases }: Finding, all: ReadonlyMap<string, readonly T[]>): T[] {
  const ids = new Set([id, ...aliases].map((name) => name.toUpperCase()))
  return [...new Set([...ids].flatMap((one) => all.get(one) ?? []))]
}

function concerns({ package: pattern }: IgnoreEntry, { package: found }: Finding, { system }: Subject): boolean {
  if (pattern === undefined) return true
  if (!pattern.startsWith('pkg:')) {
    return [found.name, found.source?.name].some((name) => name !== undefined && fitsText(pattern, name))
  }
  const purl = purlOf(found, system)
  if (purl === undefined) return false
  // A pattern may leave out the qualifiers, or the version as well; and people write scopes as they are.
  const unqualified = purl.split('?')[0]!
  const unversioned = unqualified.replace(/@[^@/]*$/, '')
  const plain = pattern.replaceAll('%40', '@')
  return [purl, unqualified, unversioned].some((text) => fitsText(plain, text.replaceAll('%40', '@')))
}

function suppressionBy({ reason, expires, author }: IgnoreEntry): Suppression {
  return { by: 'ignore file', reason, ...(expires && { expires }), ...(author && { author }) }
}

/** By the last statement about the package. */
function suppressionOf(statements: readonly VexStatement[], { package: found }: Finding, subject: Subject) {
  const last = statements.find(({ products, verdict }) =>
    includes(products, subject, found, { byVersion: verdict === 'fixed' }),
  )
  if (!last || last.verdict === 'open') return undefined
  const { verdict, reason, author } = last
  return { by: 'VEX', reason: reason === undefined ? verdict : `${verdict}: ${reason}`, ...(author && { author }) }
}
