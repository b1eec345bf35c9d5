import { keyOf, type MetaStore, MOVED, type MovedTable, type TransferRow } from '../meta/index.ts'

type Rows = Pick<MetaStore, 'readRows' | 'readRow' | 'putRows' | 'removeRows' | 'clearRows'>

/** Between which databases: the first one does not change meanwhile. */
interface Both {
  from: Rows
  to: Rows
}

/** Brought whole, in the last step. */
export const SEALED_LAST = ['signing_keys', 'acme_texts']

/** Tables of rows alone: blobs have objects, and what is sealed and may change comes last. */
const PLAIN = MOVED.filter(({ name }) => !['blobs', 'blob_digests', ...SEALED_LAST].includes(name))
const PAGE = 500

/** Removes what is not any more. What became another thing under the same key is removed with all else: rows refer to it. */
export async function removeOldRows({ from, to }: Both): Promise<void> {
  for (const table of PLAIN.toReversed()) {
    for await (const [here, there] of pairsOf({ from, to }, table)) {
      if (here && there && isAnother(table, here, there)) return await to.clearRows()
      if (!here && there) await to.removeRows(table, [there])
    }
  }
}

/** A row as the other database has it. */
type Resealed = (table: MovedTable, row: TransferRow) => TransferRow

/** Adds what is new, and changes what has changed. Returns how many rows. */
export async function putNewRows(
  { from, to }: Both,
  resealed: Resealed,
  signal: AbortSignal | undefined,
): Promise<number> {
  let changed = 0
  for (const table of PLAIN) {
    let waiting: TransferRow[] = []
    for await (const [here, there] of pairsOf({ from, to }, table)) {
      signal?.throwIfAborted()
      if (!here || (there && isSame(table, here, there))) continue
      waiting.push(resealed(table, table.large ? (await from.readRow(table, here))! : here))
      changed++
      // The large column may be of megabytes.
      if (waiting.length < (table.large ? 50 : PAGE)) continue
      await to.putRows(table, waiting)
      waiting = []
    }
    await to.putRows(table, waiting)
  }
  return changed
}

/** The rows of both tables by their keys, where one of them may be missing. */
async function* pairsOf({ from, to }: Both, table: MovedTable): AsyncGenerator<[TransferRow?, TransferRow?]> {
  const [left, right] = [rowsOf(from, table), rowsOf(to, table)]
  let [one, other] = [await left.next(), await right.next()]
  while (!one.done || !other.done) {
    const order = one.done ? 1 : other.done ? -1 : compareKeys(table, one.value, other.value)
    yield [order <= 0 ? one.value! : undefined, order >= 0 ? other.value! : undefined]
    if (order <= 0) one = await left.next()
    if (order >= 0) other = await right.next()
  }
}

async function* rowsOf(meta: Rows, table: MovedTable): AsyncGenerator<TransferRow, undefined> {
  for (let after: TransferRow | undefined; ; ) {
    const page = await meta.readRows(table, { ...(after && { after }), limit: PAGE })
    yield* page
    if (page.length < PAGE) return
    after = page.at(-1)
  }
}

/** As both databases sort: numbers, and text by bytes. */
function compareKeys(table: MovedTable, one: TransferRow, other: TransferRow): number {
  for (const [at, name] of keyOf(table).entries()) {
    const order = table.key[at]!.startsWith('#')
      ? Number(one[name]) - Number(other[name])
      : Buffer.compare(Buffer.from(one[name]!), Buffer.from(other[name]!))
    if (order !== 0) return order
  }
  return 0
}

const isAnother = ({ identity = [] }: MovedTable, one: TransferRow, other: TransferRow) =>
  identity.some((name) => one[name] !== other[name])

/** What is sealed looks other each time, and never changes. */
function isSame({ sealed }: MovedTable, one: TransferRow, other: TransferRow): boolean {
  const names = Object.keys(one).filter((name) => name !== sealed)
  return names.every((name) => {
    const [a, b] = [one[name], other[name]]
    return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : a === b
  })
}
