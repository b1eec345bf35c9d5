import { readAll } from '#base'
import { streamOf } from '#blob'
import { decompressAny } from '#format'
import type { Tally } from '../tally.ts'
import { listOf, malformed, memberOf, parseSource } from '../values.ts'
import { csvRows } from './csv.ts'

const CVE = /^CVE-\d{4}-\d{4,12}$/
const DOCUMENT_LIMIT = 64 * 2 ** 20
/** Uncompressed: EPSS has some 10 MiB. */
const TABLE_LIMIT = 512 * 2 ** 20
const ROWS_LIMIT = 5_000_000

/**
 * CVE ids of CISA's list of known exploited vulnerabilities, from its JSON or its CSV, compressed or not. A malformed entry is
 * skipped and counted; throws INVALID_ARCHIVE when the document is neither.
 */
export async function readKnownExploited(
  document: AsyncIterable<Uint8Array>,
  { tally }: { tally: Tally },
): Promise<ReadonlySet<string>> {
  const what = 'the list of exploited vulnerabilities'
  const bytes = await readAll(limited(document), { limit: DOCUMENT_LIMIT, what })
  const found = new Set<string>()
  const add = (id: unknown) => {
    if (typeof id !== 'string' || !CVE.test(id)) throw malformed('an entry', 'has no CVE id')
    found.add(id)
  }
  if (Buffer.from(bytes.subarray(0, 64)).toString().trimStart().startsWith('{')) {
    const entries = memberOf(parseSource(bytes, what), 'vulnerabilities')
    if (!Array.isArray(entries)) throw malformed(what, 'has no entries')
    for (const entry of listOf(entries, what, ROWS_LIMIT)) {
      tally.read('an entry', () => add(memberOf(entry, CVE_ID)))
    }
    return found
  }
  for await (const [id] of table(streamOf(bytes), [CVE_ID], what)) tally.read('an entry', () => add(id))
  return found
}

/** The member, or the column. */
const CVE_ID = 'cveID'

/**
 * EPSS of FIRST: for each CVE id the probability, 0 to 1, of being exploited within 30 days. From its CSV, compressed or not. A
 * malformed row is skipped and counted; throws INVALID_ARCHIVE when the document is none.
 */
export async function readExploitProbabilities(
  document: AsyncIterable<Uint8Array>,
  { tally }: { tally: Tally },
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  for await (const [id = '', text = ''] of table(limited(document), ['cve', 'epss'], 'the list of probabilities')) {
    tally.read('a row', () => {
      const probability = text === '' ? Number.NaN : Number(text)
      if (!CVE.test(id) || !(probability >= 0 && probability <= 1))
        throw malformed('a row', 'has no CVE id or probability')
      found.set(id, probability)
    })
    if (found.size > ROWS_LIMIT) throw malformed('the list of probabilities', `has more than ${ROWS_LIMIT} rows`)
  }
  return found
}

/** The named columns of a table, wherever they are in it. */
async function* table(
  document: AsyncIterable<Uint8Array>,
  columns: readonly string[],
  what: string,
): AsyncGenerator<(string | undefined)[]> {
  let places: number[] | undefined
  for await (const row of csvRows(document)) {
    if (places) yield places.map((place) => row[place])
    else {
      places = columns.map((column) => row.indexOf(column))
      if (places[0] === -1) throw malformed(what, `has no column ${columns[0]}`)
    }
  }
  if (!places) throw malformed(what, 'is empty')
}

function limited(document: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return decompressAny(document, { limits: { outputBytes: TABLE_LIMIT } })
}
