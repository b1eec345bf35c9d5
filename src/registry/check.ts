import type { Clock } from '#base'
import { createHasher } from '#blob'
import { algorithmOf, type Digest } from '#spec'
import { GRACE } from './collect.ts'
import type { ListedBlob, MetaStore } from './meta/index.ts'
import type { ObjectStore } from './objects/index.ts'

/** What a check compares, and whether it mends. */
export interface CheckOptions {
  signal?: AbortSignal
  /**
   * Makes damaged blobs invisible, so that the next push of the same bytes brings them again; shows those again that are
   * whole after all; deletes bytes that nothing knows and that are older than two days; counts right what repositories use.
   */
  repair?: boolean
  /** Compares sizes only. By default all bytes are read and hashed. */
  quick?: boolean
}

/** A blob whose bytes are not what they should be. */
export interface Damage {
  digest: Digest
  /** Bytes that it should have. */
  size: number
  problem: 'missing' | 'wrong size' | 'wrong content'
  /** What is incomplete until the blob is pushed again. */
  manifests: { repository: string; manifest: Digest }[]
}

/** What a check of a registry found, and with `repair` mended. */
export interface Checked {
  blobs: number
  /** Bytes of the objects that were compared. */
  bytes: number
  damaged: Damage[]
  /** Blobs that were lost before and are whole. */
  regained: number
  /** Objects that nothing knows, and their bytes. */
  unknown: { objects: number; bytes: number }
  /** Repositories whose use, which quotas are judged by, was not what is in them. */
  miscounted: string[]
}

const PAGE = 500
/** An upload may have begun in a database that was restored meanwhile. */
const UNKNOWN_FOR = 2 * 24 * 3_600_000

interface CheckParts {
  meta: MetaStore
  objects: ObjectStore
  clock: Clock
}

/** Compares rows with objects, and objects with rows, while pushes and pulls go on. */
export async function check(parts: CheckParts, options: CheckOptions = {}): Promise<Checked> {
  const result: Checked = {
    ...{ blobs: 0, bytes: 0, damaged: [], regained: 0, unknown: { objects: 0, bytes: 0 } },
    miscounted: await parts.meta.recountUsage({ repair: options.repair }),
  }
  let after = 0
  for (;;) {
    const page = await parts.meta.listBlobs({ after, limit: PAGE })
    for (const blob of page) {
      options.signal?.throwIfAborted()
      await checkBlob(parts, blob, { options, result })
      after = blob.id
    }
    if (page.length === 0) break
  }
  await checkObjects(parts, options, result)
  return result
}

async function checkBlob(
  { meta, objects }: CheckParts,
  blob: ListedBlob,
  { options, result }: { options: CheckOptions; result: Checked },
): Promise<void> {
  const problem = await problemOf(objects, blob, options)
  result.blobs++
  result.bytes += blob.size
  const { id, key, digest, size } = blob
  if (problem === undefined) {
    if (!blob.lost || options.quick) return
    if (!options.repair || (await meta.markBlob(id, { key, lost: false }))) result.regained++
    return
  }
  if (options.repair) {
    // An object that is merely missing may come back with its disk; it must not be deleted then.
    const deleteAfter = problem === 'missing' ? undefined : GRACE
    const stillIts = await meta.markBlob(id, { key, lost: true, deleteAfter })
    if (!stillIts) return
  }
  result.damaged.push({ digest, size, problem, manifests: await meta.manifestsWith(id) })
}

async function problemOf(
  objects: ObjectStore,
  { key, size, digest }: ListedBlob,
  { quick, signal }: CheckOptions,
): Promise<Damage['problem'] | undefined> {
  const found = await objects.size(key)
  if (found === undefined) return 'missing'
  if (found !== size) return 'wrong size'
  if (quick) return undefined
  const hasher = createHasher(algorithmOf(digest))
  for await (const chunk of objects.read(key, { reuse: true })) {
    signal?.throwIfAborted()
    hasher.update(chunk)
  }
  return hasher.digest() === digest ? undefined : 'wrong content'
}

async function checkObjects(
  { meta, objects, clock }: CheckParts,
  { signal, repair }: CheckOptions,
  { unknown }: Checked,
): Promise<void> {
  for await (const { key, size, modified } of objects.list()) {
    signal?.throwIfAborted()
    if (await meta.isObjectKnown(key)) continue
    unknown.objects++
    unknown.bytes += size
    if (repair && modified < clock.now() - UNKNOWN_FOR) await objects.delete(key)
  }
}
