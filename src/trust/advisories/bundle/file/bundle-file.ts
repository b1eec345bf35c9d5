import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { BaleError } from '#base'
import { isDigest, parseDigest } from '#spec'
import type { Advisories, Advisory, Coverage } from '../../advisory.ts'
import { advisoriesOf } from './advisory-row.ts'
import { damagedBundle, readingBundle } from './bundle-error.ts'
import type { BundleInfo, SourceInfo } from './bundle-info.ts'
import { BODY_LIMIT, excessIn, FINDINGS_LIMIT, PACKAGE_LIMIT, ROWS_LIMIT, TEXT_LIMIT } from './bundle-limits.ts'
import { canonicalName } from './canonical-name.ts'
import { contentVersion } from './content-version.ts'
import { SCHEMA_VERSION } from './schema.ts'

/** An open bundle. */
export interface AdvisoryBundle extends Advisories, Disposable {
  readonly info: BundleInfo
  /** Ids that name the same vulnerability as this one, sorted, according to any of the sources. */
  aliases(id: string): readonly string[]
  /** Reads all of the file: INVALID_ARCHIVE when a page is damaged or the content is not what its version says. Slow. */
  check(): void
}

const bounded = (column: string, limit = TEXT_LIMIT) =>
  `iif(octet_length(${column}) <= ${limit}, ${column}, NULL) AS ${column}`
const columns = (...names: string[]) => names.map((name) => bounded(name)).join(', ')

const SQL = {
  find: `SELECT ${columns('source')}, ${bounded('body', BODY_LIMIT)}, ${bounded('ids', BODY_LIMIT)},
    octet_length(body) + octet_length(ids) AS size FROM advisories WHERE ecosystem = ? AND name = ?`,
  coverage: `SELECT ${columns('ecosystem', 'source', 'knows', 'as_of', 'remark')}, advisories FROM coverage
    WHERE ecosystem = ? LIMIT ${ROWS_LIMIT + 1}`,
  allCoverage: `SELECT ${columns('ecosystem', 'source', 'knows', 'as_of', 'remark')}, advisories FROM coverage LIMIT ${ROWS_LIMIT + 1}`,
  aliases: `SELECT ${columns('id')} FROM aliases WHERE alias = ?1 UNION SELECT ${columns('alias')} FROM aliases WHERE id = ?1 LIMIT ${ROWS_LIMIT + 1}`,
  sources: `SELECT ${columns('kind', 'address', 'licence', 'as_of', 'remark')}, records, skipped FROM sources LIMIT ${ROWS_LIMIT + 1}`,
  meta: `SELECT ${columns('value')} FROM meta WHERE key = ?`,
}

type Row = Readonly<Record<string, unknown>>

/** Answers from a file whose schema is checked; what its rows say is checked as it is read. */
export class BundleFile implements AdvisoryBundle {
  readonly info: BundleInfo
  readonly version: string
  readonly #path: string
  readonly #file: DatabaseSync
  readonly #statements = new Map<keyof typeof SQL, StatementSync>()

  constructor(path: string, file: DatabaseSync) {
    this.#path = path
    this.#file = file
    this.info = this.#readInfo()
    this.version = this.info.version
  }

  find(ecosystem: string, name: string): readonly Advisory[] {
    const canonical = canonicalName(ecosystem, name)
    const found: Advisory[] = []
    let findings = 0
    let bytes = 0
    return readingBundle(this.#path, () => {
      for (const { source, body, ids, size } of this.#statement('find').iterate(ecosystem, canonical)) {
        bytes += size as number
        const advisories = advisoriesOf(ecosystem, canonical, { source, body, ids })
        if (!advisories) throw this.#damaged(`an advisory of ${name} cannot be read`)
        // A row of nothing takes time, too.
        findings += Math.max(1, advisories.length)
        if (findings > FINDINGS_LIMIT || bytes > PACKAGE_LIMIT)
          throw this.#damaged(`it has too many advisories of ${name}`)
        for (const advisory of advisories) found.push(advisory)
      }
      return found
    })
  }

  coverage(ecosystem: string): readonly Coverage[] {
    return this.#rows('coverage', ecosystem).map((row) => this.#coverageOf(row))
  }

  support(): undefined {
    // The sources of a bundle say nothing of it.
    return undefined
  }

  aliases(id: string): readonly string[] {
    const ids = this.#rows('aliases', id).map((row) => this.#text(row, 'id'))
    return [...new Set(ids)].filter((one) => one !== id).sort()
  }

  check(): void {
    readingBundle(this.#path, () => {
      const { quick_check: said } = this.#file.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }
      if (said !== 'ok') throw this.#damaged(said)
      const excess = excessIn(this.#file)
      if (excess !== undefined) throw this.#damaged(excess)
      if (contentVersion(this.#file) !== this.version) throw this.#damaged('its content is not what it says')
    })
  }

  [Symbol.dispose](): void {
    this.#statements.clear()
    if (this.#file.isOpen) this.#file.close()
  }

  #readInfo(): BundleInfo {
    const [created, version] = ['created', 'version'].map((key) => {
      const row = this.#rows('meta', key)[0]
      return row && this.#text(row, 'value')
    })
    if (created === undefined || Number.isNaN(Date.parse(created))) throw this.#damaged('it has no time of creation')
    if (version === undefined || !isDigest(version)) throw this.#damaged('it has no version')
    const coverage = this.#rows('allCoverage').map((row) => this.#coverageOf(row))
    return {
      schema: SCHEMA_VERSION,
      created,
      version: parseDigest(version),
      advisories: coverage.reduce((sum, one) => sum + one.advisories, 0),
      sources: this.#rows('sources').map((row) => this.#sourceOf(row)),
      coverage,
    }
  }

  #sourceOf(row: Row): SourceInfo {
    const licence = this.#optional(row, 'licence')
    const remark = this.#optional(row, 'remark')
    return {
      kind: this.#text(row, 'kind'),
      address: this.#text(row, 'address'),
      ...(licence !== undefined && { licence }),
      asOf: this.#text(row, 'as_of'),
      records: this.#count(row, 'records'),
      skipped: this.#count(row, 'skipped'),
      ...(remark !== undefined && { remark }),
    }
  }

  #coverageOf(row: Row): Coverage {
    const knows = this.#text(row, 'knows')
    if (knows !== 'all' && knows !== 'fixed') throw this.#damaged('what it covers cannot be read')
    const remark = this.#optional(row, 'remark')
    return {
      ecosystem: this.#text(row, 'ecosystem'),
      source: this.#text(row, 'source'),
      knows,
      asOf: this.#text(row, 'as_of'),
      advisories: this.#count(row, 'advisories'),
      ...(remark !== undefined && { remark }),
    }
  }

  #rows(name: keyof typeof SQL, ...values: SQLInputValue[]): Row[] {
    const rows = readingBundle(this.#path, () => this.#statement(name).all(...values))
    if (rows.length > ROWS_LIMIT) throw this.#damaged(`it has more than ${ROWS_LIMIT} rows of ${name}`)
    return rows
  }

  #statement(name: keyof typeof SQL): StatementSync {
    const statement = this.#statements.get(name) ?? this.#file.prepare(SQL[name])
    this.#statements.set(name, statement)
    return statement
  }

  #text(row: Row, name: string): string {
    const value = row[name]
    if (typeof value !== 'string') throw this.#damaged(`its ${name} is no text`)
    return value
  }

  #optional(row: Row, name: string): string | undefined {
    return row[name] === null ? undefined : this.#text(row, name)
  }

  #count(row: Row, name: string): number {
    const value = row[name]
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw this.#damaged(`its ${name} is no number`)
    return value as number
  }

  #damaged(reason: string): BaleError {
    return damagedBundle(this.#path, reason)
  }
}
