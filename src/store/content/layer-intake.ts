import type { OperationOptions } from '#base'
import { acquireLock, asNoSpace } from '#host/file'
import type { Descriptor, Digest } from '#spec'
import type { LayerRecord, WrittenLayer } from '#store/rows'
import type { CompressLayerOptions } from './compress-layer.ts'
import type { Intake } from './core.ts'
import { discardLayers } from './layers.ts'
import { publishLayer, scratchDirectory } from './publish-layer.ts'

/** The way of layers made here into a store. What comes in is held until the operation ends. */
export interface LayerIntake {
  /**
   * Stores a layer from its uncompressed tar, in one pass (in a worker thread when it is large). A chunk is copied before the next is
   * asked for, unless it is `owned`.
   */
  write(tar: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options?: WriteOptions): Promise<LayerRecord>
  /** Like `write` for a caller that writes the layer format itself: `make` fills a new, empty directory and syncs its files. */
  writeWith(make: (directory: string) => Promise<WrittenLayer>, options?: OperationOptions): Promise<LayerRecord>
  /** The layer as a compressed blob (for a push), made now unless an image here has one. */
  compressed(diffId: Digest, options?: CompressLayerOptions): Promise<Descriptor>
  /** Lets go of layers that were needed for a while only, and removes those of them that nothing else holds. */
  discard(diffIds: readonly Digest[]): Promise<void>
}

interface WriteOptions extends OperationOptions {
  expected?: Digest
  /** Each chunk of the tar has a buffer of its own, which is taken over instead of copied. */
  owned?: boolean
  /** With `owned`: gets buffers of chunks again that are no longer needed, to be filled anew. */
  giveBack?(buffer: ArrayBuffer): void
}

export function createLayerIntake(core: Intake): LayerIntake {
  return {
    write: (tar, options = {}) =>
      writeNew(core, options, async (directory) => {
        const { owned, giveBack, signal } = options
        const { stream, small } = await measured(tar, { owned })
        const job = { format: core.formats.written, directory, diffId: options.expected }
        return core.workers.run(job, async () => stream, { signal, small, owned, giveBack })
      }),
    writeWith: (make, options = {}) => writeNew(core, options, make),
    compressed: async (diffId, options = {}) =>
      (await import('./compress-layer.ts')).compressLayer(core, diffId, options),
    discard: (diffIds) =>
      discardLayers(core, diffIds, () => core.lease.release(diffIds.map((digest) => ({ kind: 'layer', digest })))),
  }
}

/** Makes a directory, fills it, and publishes it under what it turned out to be. */
async function writeNew(
  core: Intake,
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
  tar: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { owned = false }: { owned?: boolean },
): Promise<{ stream: AsyncIterable<Uint8Array>; small: boolean }> {
  const iterator = Symbol.asyncIterator in tar ? tar[Symbol.asyncIterator]() : tar[Symbol.iterator]()
  const head: Uint8Array[] = []
  let size = 0
  let small = false
  while (size < SMALL && !small) {
    const next = await iterator.next()
    if (next.done) small = true
    else {
      // The source may reuse the chunk after the next one is requested.
      head.push(owned ? next.value : Uint8Array.from(next.value))
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
