import { mapLimited } from '#base'
import { createHasher } from '#blob'
import { algorithmOf, type Digest } from '#spec'
import { type ListedBlob, type MetaStore, MOVED, type TransferRow } from '../meta/index.ts'
import { NOTHING_WRITTEN, type ObjectStore, type Progress } from '../objects/index.ts'
import type { Moved } from './moved.ts'

export interface Place {
  meta: MetaStore
  objects: ObjectStore
}

const PAGE = 200
const AT_ONCE = 4
/** What a move that is not gone on with leaves behind is deleted then. */
const NOTED_FOR = 2 * 24 * 3_600_000
const BLOBS = MOVED.find(({ name }) => name === 'blobs')!

/** Blobs that the new place has, by digest. */
type Known = Map<Digest, ListedBlob>

export async function knownBlobs(meta: MetaStore): Promise<Known> {
  const known: Known = new Map()
  for await (const blob of blobsOf(meta)) known.set(blob.digest, blob)
  return known
}

/** Drops blobs that are not any more, or that have another ID by now and are brought again. */
export async function dropOldBlobs(from: MetaStore, to: MetaStore, known: Known): Promise<void> {
  const ids = new Map<Digest, number>()
  for await (const { digest, id } of blobsOf(from)) ids.set(digest, id)
  const old = [...known.values()].filter(({ digest, id }) => ids.get(digest) !== id)
  // Rows refer to them, and come again.
  if (old.length > 0) await to.clearRows()
  for (const { digest, id } of old) {
    await to.dropBlob(id)
    known.delete(digest)
  }
}

/** Brings what is new. Bytes that are not those of their digest are not brought: the blob is lost until it is pushed again. */
export async function bringNewBlobs(
  parts: { snapshot: MetaStore; from: ObjectStore; to: Place; known: Known; moved: Moved },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { snapshot, known, moved } = parts
  let page: ListedBlob[] = []
  for await (const blob of blobsOf(snapshot)) {
    const there = known.get(blob.digest)
    const isKnownDamaged = there?.key === blob.key && moved.damaged.includes(blob.digest)
    if (there && (there.lost === blob.lost || isKnownDamaged)) continue
    page.push(blob)
    if (page.length < PAGE) continue
    await bringAll(page)
    page = []
  }
  await bringAll(page)

  async function bringAll(blobs: ListedBlob[]): Promise<void> {
    await mapLimited(blobs, AT_ONCE, async (blob) => {
      signal?.throwIfAborted()
      const row = (await snapshot.readRow(BLOBS, { id: String(blob.id) }))!
      const key = blob.lost ? undefined : await copyVerified(parts, blob)
      if (key === undefined && !moved.damaged.includes(blob.digest)) moved.damaged.push(blob.digest)
      if (key !== undefined) moved.bytes += blob.size
      await putBlob(parts.to.meta, blob, { row, key })
      known.set(blob.digest, { ...blob, lost: key === undefined })
    })
  }
}

async function putBlob(
  meta: MetaStore,
  { id, digest, key: old }: ListedBlob,
  { row, key }: { row: TransferRow; key: string | undefined },
): Promise<void> {
  const lost = key === undefined ? '1' : '0'
  await meta.putBlob({ id, digest, row: { ...row, lost }, key: key ?? old, noted: old })
}

/** The key of the copy; undefined when the bytes are missing or are others. */
async function copyVerified(
  { from, to }: { from: ObjectStore; to: Place },
  { key, size, digest }: ListedBlob,
): Promise<string | undefined> {
  if ((await from.size(key)) !== size) return undefined
  const { meta, objects } = to
  // Of a move that was broken off.
  const left = await meta.noteObject({ key }, NOTED_FOR)
  if (left) await objects.delete(key, left.state)
  const hasher = createHasher(algorithmOf(digest))
  const record = async ({ state }: Progress) => void (await meta.noteObject({ key, state }, NOTED_FOR))
  let progress = NOTHING_WRITTEN
  {
    await using appender = await objects.append(key, NOTHING_WRITTEN, record)
    for await (const chunk of from.read(key)) {
      hasher.update(chunk)
      await appender.write(chunk)
    }
    progress = await appender.sync()
  }
  if (hasher.digest() !== digest) {
    await objects.delete(key, progress.state)
    return undefined
  }
  await record(progress)
  return await objects.complete(key, progress)
}

async function* blobsOf(meta: MetaStore): AsyncGenerator<ListedBlob> {
  for (let after = 0; ; ) {
    const page = await meta.listBlobs({ after, limit: PAGE })
    yield* page
    if (page.length === 0) return
    after = page.at(-1)!.id
  }
}
