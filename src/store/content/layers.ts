import type { OperationOptions } from '#base'
import { acquireLock, asNoSpace } from '#host/file'
import type { Descriptor, Digest } from '#spec'
import { dropDeadLeases } from '#store/leases'
import { findLayer, type LayerRecord, listLayers, type WrittenLayer } from '#store/rows'
import type { Core } from './core.ts'
import { ensureVerified } from './ensure-verified.ts'
import { openTar } from './load-format.ts'
import { publishLayer, scratchDirectory } from './publish-layer.ts'
import { sweep } from './sweep.ts'

export interface Layers {
  get(diffId: Digest): Promise<LayerRecord | undefined>
  list(): Promise<LayerRecord[]>
  /** The exact uncompressed tar. Throws BLOB_NOT_FOUND before the first chunk. */
  openTar(diffId: Digest): AsyncIterable<Uint8Array>
  /**
   * Stores a layer made here from its uncompressed tar, in one pass (in a worker thread when it is large). The layer is
   * leased by this store until an image, a container or a cache record refers to it, or the store is closed.
   */
  write(tar: AsyncIterable<Uint8Array>, options?: OperationOptions & { expected?: Digest }): Promise<LayerRecord>
  /** Like `write` for a caller that writes the layer format itself: `make` fills a new, empty directory and syncs its files. */
  writeWith(make: (directory: string) => Promise<WrittenLayer>, options?: OperationOptions): Promise<LayerRecord>
  /**
   * To be awaited before a layer is mounted: once per boot all that is going to be mounted is read and its sha256
   * compared. Throws STORE_DAMAGED (and the layer counts as missing from then on, so that the next pull heals it).
   */
  ensureVerified(diffId: Digest, options?: OperationOptions): Promise<LayerRecord>
  /**
   * Gives back what this store holds of layers that were needed for a while only, and removes those of them that nothing
   * else holds.
   */
  discard(diffIds: readonly Digest[]): Promise<void>
  /** The layer as a compressed blob (for a push), made now unless an image here has one. Leased like a written layer. */
  compressed(diffId: Digest, options?: OperationOptions): Promise<Descriptor>
}

export function createLayers(core: Core): Layers {
  return {
    get: async (diffId) => findLayer(core, diffId),
    list: async () => listLayers(core),
    openTar: (diffId) => openTar(core, diffId),
    write: (tar, options = {}) =>
      writeNew(core, options, async (directory) => {
        const { stream, small } = await measured(tar)
        const job = { module: core.formats[0].module, directory, diffId: options.expected }
        return core.workers.run(job, async () => stream, { signal: options.signal, small })
      }),
    writeWith: (make, options = {}) => writeNew(core, options, make),
    ensureVerified: (diffId, options = {}) => ensureVerified(core, diffId, options),
    discard: (diffIds) => discard(core, diffIds),
    compressed: async (diffId, options = {}) =>
      (await import('./compress-layer.ts')).compressLayer(core, diffId, options),
  }
}

async function discard(core: Core, diffIds: readonly Digest[]): Promise<void> {
  if (diffIds.length === 0) return
  dropDeadLeases(core.database, core.clock)
  const pins = diffIds.map((digest) => ({ kind: 'layer' as const, digest }))
  const { finish } = core.database.transaction(() => {
    core.session.release(pins)
    return sweep(core, pins)
  })
  await finish()
}

/** Makes a directory, fills it, and publishes it under what it turned out to be. */
async function writeNew(
  core: Core,
  options: OperationOptions,
  make: (directory: string) => Promise<WrittenLayer>,
): Promise<LayerRecord> {
  await using scratch = await scratchDirectory(core)
  const written = await make(scratch.path).catch((error: unknown) => {
    throw asNoSpace(error, 'a layer')
  })
  options.signal?.throwIfAborted()
  await using _lock = await acquireLock(core.layout.lock('layer', written.diffId), {
    ...options,
    what: `layer ${written.diffId}, which another process writes`,
  })
  return await publishLayer(core, scratch.path, written)
}

const SMALL = 256 << 10

/** Reads ahead a little: a stream that ends by then is not worth a thread. */
async function measured(
  tar: AsyncIterable<Uint8Array>,
): Promise<{ stream: AsyncIterable<Uint8Array>; small: boolean }> {
  const iterator = tar[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let size = 0
  let small = false
  while (size < SMALL && !small) {
    const next = await iterator.next()
    if (next.done) small = true
    else {
      // The giver may use the chunk again after the next one is asked for.
      head.push(Uint8Array.from(next.value))
      size += next.value.byteLength
    }
  }
  const stream = (async function* () {
    try {
      yield* head
      if (small) return
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  })()
  return { stream, small }
}
