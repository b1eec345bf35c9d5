import { DatabaseSync } from 'node:sqlite'
import { BaleError } from '#base'
import type { Advisory } from '../../advisory.ts'
import { type Saying, sayingOf } from './advisory-row.ts'
import { BODY_LIMIT, FINDINGS_LIMIT, tooManyAdvisories } from './bundle-limits.ts'

/** What is said, and of which vulnerabilities. */
export interface StagedRow extends Saying {
  readonly ids: readonly string[]
}

/** Rows as they come, in a file of their own, until they can be written in order. */
interface Staging extends Disposable {
  /** Adds all that `advisories` gives, or nothing when that throws. An advisory that is too large for a bundle is left out. */
  add(
    advisories: AsyncIterable<Advisory> | Iterable<Advisory>,
    onTooLarge?: (id: string, reason: BaleError) => void,
  ): Promise<void>
  /** In order; what is said more than once comes once, with all its vulnerabilities. */
  rows(): Iterable<StagedRow>
}

/** Bytes of pages in memory; sorting uses as much, and files beyond it. */
const CACHE_KIB = 64 * 1024

export function createStaging(path: string): Staging {
  const file = new DatabaseSync(path)
  // The file is never used after a crash; its journal only undoes what a source brought that failed.
  file.exec(`PRAGMA synchronous = OFF; PRAGMA journal_mode = TRUNCATE; PRAGMA cache_size = -${CACHE_KIB}`)
  file.exec('CREATE TABLE staged (ecosystem TEXT, name TEXT, source TEXT, body TEXT, ids TEXT) STRICT')
  const insert = file.prepare('INSERT INTO staged VALUES (?, ?, ?, ?, ?)')
  const columns = 'ecosystem, name, source, body, ids'
  const inOrder = file.prepare(`SELECT DISTINCT ${columns} FROM staged ORDER BY ${columns}`)
  return {
    async add(advisories, onTooLarge = () => undefined) {
      file.exec('BEGIN')
      try {
        for await (const { ecosystem, name, source, body, ids } of grouped(advisories, onTooLarge))
          insert.run(ecosystem, name, source, body, JSON.stringify(ids))
        file.exec('COMMIT')
      } catch (error) {
        if (file.isTransaction) file.exec('ROLLBACK')
        throw error
      }
    },
    *rows() {
      let held: { saying: Saying; ids: Set<string> } | undefined
      for (const row of inOrder.iterate()) {
        const { ids, ...saying } = row as unknown as Saying & { ids: string }
        if (!held || !isSame(held.saying, saying)) {
          if (held) yield { ...held.saying, ids: [...held.ids].sort() }
          held = { saying, ids: new Set() }
        }
        for (const id of JSON.parse(ids) as string[]) held.ids.add(id)
        if (held.ids.size > FINDINGS_LIMIT) throw tooManyAdvisories(saying)
      }
      if (held) yield { ...held.saying, ids: [...held.ids].sort() }
    },
    [Symbol.dispose]: () => file.close(),
  }
}

/** Of ids that wait in memory; `rows` joins the groups. */
const GROUP_AT_MOST = 10_000

/** Joins advisories that follow one another and say the same of several vulnerabilities, as those of a notice do. */
async function* grouped(
  advisories: AsyncIterable<Advisory> | Iterable<Advisory>,
  onTooLarge: (id: string, reason: BaleError) => void,
): AsyncGenerator<StagedRow> {
  let saying: Saying | undefined
  let ids: string[] = []
  for await (const advisory of advisories) {
    const next = sayingOf(advisory)
    if (Buffer.byteLength(next.body) > BODY_LIMIT) {
      onTooLarge(advisory.id, new BaleError('LIMIT_EXCEEDED', `it has more than ${BODY_LIMIT} bytes`))
      continue
    }
    if (saying && ids.length < GROUP_AT_MOST && isSame(saying, next)) ids.push(advisory.id)
    else {
      if (saying) yield { ...saying, ids }
      saying = next
      ids = [advisory.id]
    }
  }
  if (saying) yield { ...saying, ids }
}

function isSame(a: Saying, b: Saying): boolean {
  return a.body === b.body && a.name === b.name && a.ecosystem === b.ecosystem && a.source === b.source
}
