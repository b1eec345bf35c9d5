import { DatabaseSync } from 'node:sqlite'
import type { Digest } from '#spec'
import type { Coverage } from '../../advisory.ts'
import type { RowId, Saying } from './advisory-row.ts'
import type { SourceInfo } from './bundle-info.ts'
import { BODY_LIMIT, FINDINGS_LIMIT, PACKAGE_LIMIT, tooManyAdvisories } from './bundle-limits.ts'
import type { Overlays } from './bundle-source.ts'
import { contentVersion } from './content-version.ts'
import { APPLICATION_ID, SCHEMA_VERSION, TABLES } from './schema.ts'
import type { StagedRow } from './staging.ts'

/** What goes into a file. */
interface FileContent {
  readonly created: string
  readonly sources: readonly SourceInfo[]
  /** In the order of their members, each once. */
  readonly advisories: Iterable<StagedRow>
  readonly overlays: Pick<Overlays, 'exploited' | 'probabilities'>
  /** How many advisories there are of each is counted here. */
  readonly coverage: readonly Omit<Coverage, 'advisories'>[]
}

/**
 * Writes a new SQLite file at a path where nothing is. Its bytes depend on the content and on the version of SQLite: rows go in
 * by order, in one transaction, and free space is zeroed. Throws LIMIT_EXCEEDED for a package with more than a reader takes.
 */
export function writeBundleFile(path: string, content: FileContent): void {
  const file = new DatabaseSync(path)
  try {
    file.exec(`PRAGMA page_size = 8192; PRAGMA encoding = 'UTF-8'; PRAGMA auto_vacuum = NONE; PRAGMA secure_delete = ON;
      PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
      PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION};
      BEGIN; ${TABLES}`)
    const counts = writeAdvisories(file, content)
    writeOthers(file, content, counts)
    const meta = file.prepare('INSERT INTO meta VALUES (?, ?)')
    meta.run('created', content.created)
    meta.run('version', contentVersion(file) satisfies Digest)
    file.exec('COMMIT')
  } finally {
    file.close()
  }
}

/** Number of advisories by ecosystem and source, as `coverageKey` joins them. */
type Counts = Map<string, number>

export function coverageKey({ ecosystem, source }: Pick<Coverage, 'ecosystem' | 'source'>): string {
  return JSON.stringify([ecosystem, source])
}

function writeAdvisories(file: DatabaseSync, { advisories, overlays }: FileContent): Counts {
  const insert = file.prepare('INSERT INTO advisories VALUES (?, ?, ?, ?, ?)')
  const alias = file.prepare('INSERT OR IGNORE INTO aliases VALUES (?, ?)')
  const counts: Counts = new Map()
  const check = packageChecker()
  for (const { ids, ...saying } of advisories) {
    const { ecosystem, name, source, body } = saying
    const { aliases } = JSON.parse(body) as { aliases: string[] }
    const entries = JSON.stringify(ids.map((id) => rowId(id, aliases, overlays)))
    check(saying, ids.length, entries)
    insert.run(ecosystem, name, source, body, entries)
    for (const id of ids) for (const one of aliases) alias.run(one, id)
    const key = coverageKey(saying)
    counts.set(key, (counts.get(key) ?? 0) + ids.length)
  }
  return counts
}

/** To be called with the rows in order. Throws when they are more than a reader takes, of one package together. */
function packageChecker(): (saying: Saying, findings: number, entries: string) => void {
  let sum = { key: '', findings: 0, bytes: 0 }
  return (saying, findings, entries) => {
    const key = JSON.stringify([saying.ecosystem, saying.name])
    if (key !== sum.key) sum = { key, findings: 0, bytes: 0 }
    const size = Buffer.byteLength(entries)
    sum.findings += findings
    sum.bytes += Buffer.byteLength(saying.body) + size
    if (size > BODY_LIMIT || sum.findings > FINDINGS_LIMIT || sum.bytes > PACKAGE_LIMIT) throw tooManyAdvisories(saying)
  }
}

function rowId(id: string, aliases: readonly string[], { exploited, probabilities }: FileContent['overlays']): RowId {
  const names = [id, ...aliases]
  const known = names.flatMap((one) => probabilities?.get(one) ?? [])
  return {
    id,
    ...(names.some((one) => exploited?.has(one)) && { exploited: true }),
    ...(known.length > 0 && { probability: Math.max(...known) }),
  }
}

function writeOthers(file: DatabaseSync, { sources, coverage }: FileContent, counts: Counts): void {
  const source = file.prepare('INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?)')
  for (const { kind, address, licence, asOf, records, skipped, remark } of sources)
    source.run(kind, address, licence ?? null, asOf, records, skipped, remark ?? null)
  const covered = file.prepare('INSERT INTO coverage VALUES (?, ?, ?, ?, ?, ?)')
  for (const one of coverage) {
    const count = counts.get(coverageKey(one)) ?? 0
    covered.run(one.ecosystem, one.source, one.knows, one.asOf, count, one.remark ?? null)
  }
}
