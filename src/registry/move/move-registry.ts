import { createHash, randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, isBaleError, systemClock } from '#base'
import {
  copySqliteMeta,
  freezeSqliteMeta,
  holdObjects,
  keyOf,
  type MetaStore,
  MOVED,
  type MovedTable,
  openSqliteMeta,
  type TransferRow,
  thawSqliteMeta,
} from '../meta/index.ts'
import type { ObjectStore } from '../objects/index.ts'
import { type Sealed, sealedAgain } from '../seal/index.ts'
import { bringNewBlobs, dropOldBlobs, knownBlobs, type Place } from './move-blobs.ts'
import type { Moved, MoveOptions } from './moved.ts'
import { putNewRows, removeOldRows, SEALED_LAST } from './sync-rows.ts'

/** An embedded registry that may be served, and an empty scaled-out one that is not yet. */
interface MoveParts {
  /** With `registry.db`. */
  directory: string
  from: { meta: MetaStore; objects: ObjectStore; secret: Uint8Array }
  to: Place & { secret: Uint8Array }
}

const LEASE = 24 * 3_600_000
const MARK_FOR = 90 * 24 * 3_600_000
/** When so few rows came with a round, the rest is left to the last one. */
const FEW = 200

/**
 * Moves a registry: round by round what is new, while it takes pushes, and at last with changes refused, so that the new place has
 * all that was acknowledged. It ends whatever is pushed meanwhile. Afterwards changes stay refused here; when it fails they are taken again. A move that was broken off
 * goes on where it was. CONFLICT when the new place has something of its own.
 */
export async function moveRegistry(parts: MoveParts, { signal, frozen }: MoveOptions = {}): Promise<Moved> {
  const { from, to, directory } = parts
  const mark = markOf(from.secret)
  await claim(to.meta, mark)
  const moved: Moved = { blobs: 0, bytes: 0, damaged: [], frozenFor: 0 }
  await using hold = await holdObjects(from.meta)
  // What comes during a round is for the next one. When that does not take half of the time, as much comes as can be brought,
  // and more rounds would take ever longer: the last one, with changes refused, takes about as long as this.
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    const started = performance.now()
    const brought = await bringRound(parts, moved, signal)
    hold.check()
    const took = performance.now() - started
    if (brought <= FEW || took > before / 2) break
    before = took
  }
  const began = performance.now()
  const file = join(directory, 'registry.db')
  freezeSqliteMeta(file)
  try {
    frozen?.()
    await bringRound(parts, moved, signal)
    await bringSealed(parts)
    await to.meta.endTransfer(LEASE)
    hold.check()
    await to.meta.release(mark)
  } catch (error) {
    thawSqliteMeta(file)
    throw error
  }
  return { ...moved, frozenFor: performance.now() - began }
}

/** What the new place calls this move. */
const markOf = (secret: Uint8Array) =>
  `move-${createHash('sha256').update('move').update(secret).digest('hex').slice(0, 32)}`

async function claim(meta: MetaStore, mark: string): Promise<void> {
  if (!(await meta.hasHold(mark)) && !(await meta.isEmpty())) {
    throw new BaleError(
      'CONFLICT',
      'the new place has users, repositories or a log of its own; a registry is moved to an empty one',
    )
  }
  await meta.hold(mark, MARK_FOR)
}

/** Brings what is new as of now. Returns how many rows that was. */
async function bringRound(parts: MoveParts, moved: Moved, signal: AbortSignal | undefined) {
  const { directory, from, to } = parts
  const copy = join(directory, `moving.db.${randomBytes(6).toString('hex')}`)
  try {
    copySqliteMeta(join(directory, 'registry.db'), copy)
    const snapshot = openSqliteMeta({ path: copy, clock: systemClock })
    try {
      const both = { from: snapshot, to: to.meta }
      await removeOldRows(both)
      const known = await knownBlobs(to.meta)
      await dropOldBlobs(snapshot, to.meta, known)
      await bringNewBlobs({ snapshot, from: from.objects, to, known, moved }, signal)
      moved.blobs = known.size
      const brought = await putNewRows(both, resealing(parts), signal)
      await to.meta.foldUsage()
      return brought
    } finally {
      await snapshot.close()
    }
  } finally {
    for (const suffix of ['', '-wal', '-shm']) await rm(copy + suffix, { force: true })
  }
}

/** Tokens that were issued before are valid in the new place, which shows the certificate that there is. */
async function bringSealed({ from, to }: Pick<MoveParts, 'from' | 'to'>): Promise<void> {
  const resealed = resealing({ from, to })
  for (const table of MOVED.filter(({ name }) => SEALED_LAST.includes(name))) {
    const rows = await from.meta.readRows(table, { limit: 1000 })
    await to.meta.putRows(
      table,
      rows.map((row) => resealed(table, row)),
    )
  }
}

const PURPOSES: ReadonlyMap<string, Sealed> = new Map([
  ['signing_keys', 'signing keys of a registry'],
  ['hooks', 'secrets of hooks'],
  ['acme_texts', 'certificates of this registry'],
])

/** What the old place's secret opens, the new one's opens there. A hook that it does not open is of no use in either. */
function resealing({ from, to }: Pick<MoveParts, 'from' | 'to'>) {
  const secrets = { from: from.secret, to: to.secret }
  return (table: MovedTable, row: TransferRow): TransferRow => {
    const { name, sealed } = table
    if (sealed === undefined) return row
    try {
      const closed = { id: String(row[keyOf(table)[0]!]), text: String(row[sealed]) }
      return { ...row, [sealed]: sealedAgain(PURPOSES.get(name)!, closed, secrets) }
    } catch (error) {
      if (name === 'hooks' && isBaleError(error, 'DENIED')) return row
      throw error
    }
  }
}
