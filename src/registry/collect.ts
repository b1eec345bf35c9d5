import { BaleError } from '#base'
import { inTurn, type MetaStore } from './meta/index.ts'
import type { ObjectStore } from './objects/index.ts'
import { removeUnkeptTags } from './policies/index.ts'

/** What a collection removes besides what nothing refers to. */
export interface CollectOptions {
  signal?: AbortSignal
  /**
   * Also removes manifests that no tag, index or subject holds and that are older than this. Milliseconds. By default
   * they are kept, since they can be pulled by digest.
   */
  untaggedOlderThan?: number
  /**
   * How long a manifest that lost a tag is not among them, so that the tag can be set back to it. Milliseconds, seven days by
   * default.
   */
  restorableFor?: number
  /** Also forgets unfinished uploads that have not moved for this long. Milliseconds; a day by default. */
  uploadsOlderThan?: number
  /** How long the bytes of a removed blob stay for downloads that run. Milliseconds, an hour by default. */
  grace?: number
  /** Also removes what came from an upstream, below its prefix, and that nobody has pulled for so many milliseconds. */
  unpulled?: readonly { below: string; unpulledFor: number }[]
  /** How long lines of the audit log are kept. Milliseconds, 90 days by default. */
  auditFor?: number
  /** How long deliveries of hooks that ended are kept. Milliseconds, seven days by default. */
  deliveriesFor?: number
}

/** How much a collection removed. `bytes` is the space that this made. */
export interface Collected {
  /** Uploads that were never finished. */
  uploads: number
  /** Tags that policies do not keep. */
  tags: number
  manifests: number
  /** Blobs no longer visible; their bytes are deleted after the grace period. */
  blobs: number
  bytes: number
  /** Objects deleted now. */
  objects: number
}

/** How long a download may take that began before its bytes were condemned. Milliseconds. */
export const GRACE = 3_600_000
const AUDIT_FOR = 90 * 24 * 3_600_000
const DELIVERIES_FOR = 7 * 24 * 3_600_000
const RESTORABLE = 7 * 24 * 3_600_000
const BATCH = 500

interface CollectParts {
  meta: MetaStore
  objects: ObjectStore
}

/**
 * Collects what nothing refers to, while pushes and pulls go on: first transactions decide, then bytes are deleted,
 * then their rows. Tags that policies do not keep go first, so that their manifests are untagged. A crash in between leaves
 * work for the next run and never a manifest without its blobs.
 */
async function collect(
  { meta, objects }: CollectParts,
  {
    signal,
    untaggedOlderThan,
    restorableFor = RESTORABLE,
    uploadsOlderThan,
    grace = GRACE,
    auditFor = AUDIT_FOR,
    unpulled = [],
    deliveriesFor = DELIVERIES_FOR,
  }: CollectOptions = {},
): Promise<Collected> {
  const uploads = await meta.expireUploads(uploadsOlderThan)
  const tags = await removeUnkeptTags(meta, signal)
  let manifests = untaggedOlderThan === undefined ? 0 : await meta.removeUntagged(untaggedOlderThan, restorableFor)
  for (const { below, unpulledFor } of unpulled) manifests += await meta.removeUnpulled(below, unpulledFor)
  const condemned = await meta.condemnBlobs(grace)
  let deleted = 0
  // What was condemned before waits for the usual time, unless less is asked for.
  const next = () => meta.dueObjects(BATCH, Math.max(0, GRACE - grace))
  for (let due = await next(); due.length > 0; due = await next()) {
    for (const { key, state } of due) {
      signal?.throwIfAborted()
      await objects.delete(key, state)
      await meta.forgetObject(key)
      deleted++
    }
  }
  await meta.expireAudit(auditFor)
  await meta.foldUsage()
  await meta.expireDeliveries(deliveriesFor)
  return { uploads, tags, manifests, ...condemned, objects: deleted }
}

/** One process of a registry collects at a time. Throws LOCKED when another one does. */
export async function collectInTurn(parts: CollectParts, options: CollectOptions = {}): Promise<Collected> {
  const collected = await inTurn(parts.meta, 'collection', (turn) => {
    const signal = options.signal ? AbortSignal.any([options.signal, turn]) : turn
    return collect(parts, { ...options, signal })
  })
  if (collected !== 'taken') return collected.done
  throw new BaleError('LOCKED', 'another process of the registry is collecting at the moment')
}
