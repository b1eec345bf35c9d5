import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, isBaleError, type OperationOptions } from '#base'
import { bootId } from '#host'
import { acquireLock, asNoSpace, publishDirectory, readText, removeTree, writeFileAtomic } from '#host/file'
import { type Descriptor, type Digest, hexOf } from '#spec'
import type { Core } from './core.ts'
import { imagesNeeding } from './images-needing.ts'
import type { LayerFormat, LayerFormatName, LayerRecord, WrittenLayer } from './layer-format.ts'
import { dropDeadLeases } from './leases.ts'

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
  /** Like `write` for who writes the layer format by himself: `make` fills a new, empty directory and syncs its files. */
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
    list: async () => core.database.all<LayerRow>('SELECT * FROM layers ORDER BY created, diff_id').map(toRecord(core)),
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
  const { sweep } = await import('./garbage.ts')
  dropDeadLeases(core.database, core.clock)
  const pins = diffIds.map((digest) => ({ kind: 'layer' as const, digest }))
  const { finish } = core.database.transaction(() => {
    core.session.release(pins)
    return sweep(core, pins)
  })
  await finish()
}

interface LayerRow {
  diff_id: Digest
  format: LayerFormatName
  tar_size: number
  disk_size: number
  content_size: number
  image_digest: Digest | null
  created: number
}

const toRecord =
  ({ layout }: Core) =>
  (row: LayerRow): LayerRecord => ({
    diffId: row.diff_id,
    format: row.format,
    tarSize: row.tar_size,
    diskSize: row.disk_size,
    contentSize: row.content_size,
    ...(row.image_digest ? { imageDigest: row.image_digest } : {}),
    directory: layout.layerDirectory(row.diff_id),
    created: row.created,
  })

/** The record, when the layer's directory is there too: a lost one counts as missing, so that it is fetched again. */
export function findLayer(core: Core, diffId: Digest): LayerRecord | undefined {
  const row = core.database.get<LayerRow>('SELECT * FROM layers WHERE diff_id = ?', diffId)
  if (!row || !existsSync(core.layout.layerDirectory(diffId))) return undefined
  return toRecord(core)(row)
}

export async function loadFormat(core: Core, name: LayerFormatName): Promise<LayerFormat> {
  const reference = core.formats.find((format) => format.name === name)
  if (!reference) {
    throw new BaleError('UNSUPPORTED_HOST', `the store holds a layer in the format ${name}, which is not available`)
  }
  return ((await import(reference.module)) as { layerFormat: LayerFormat }).layerFormat
}

export async function* openTar(core: Core, diffId: Digest): AsyncGenerator<Uint8Array> {
  const record = findLayer(core, diffId)
  if (!record) throw new BaleError('BLOB_NOT_FOUND', `no layer has the diff ID ${diffId}`)
  yield* (await loadFormat(core, record.format)).openTar(record.directory)
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

/** A new directory in tmp/ that bears the ID of this store's lease, so that others can tell whether its owner lives. */
export async function scratchDirectory({ layout, session }: Core): Promise<{ path: string } & AsyncDisposable> {
  const path = join(layout.temporary, `${session.id()}-${randomBytes(6).toString('hex')}`)
  await mkdir(path, { mode: 0o700 })
  return { path, [Symbol.asyncDispose]: () => removeTree(path) }
}

/** To be called under the layer's lock. What is there already stays; a directory without a row or a lost one is replaced. */
export async function publishLayer(core: Core, directory: string, written: WrittenLayer): Promise<LayerRecord> {
  const { database, session, layout, clock } = core
  const { diffId } = written
  const there = findLayer(core, diffId)
  if (there) {
    session.hold([{ kind: 'layer', digest: diffId }])
    return there
  }
  const final = layout.layerDirectory(diffId)
  await removeTree(final)
  if ((await publishDirectory(directory, final)) === 'exists') {
    throw new BaleError('CONFLICT', `${final} appeared while its lock was held`)
  }
  await markVerified(core, diffId)
  database.transaction(() => {
    const values = [diffId, core.formats[0].name, written.tarSize, written.diskSize]
    const content = written.contentSize ?? written.tarSize
    const sql = 'INSERT OR REPLACE INTO layers VALUES (?, ?, ?, ?, ?, ?, ?)'
    database.run(sql, ...values, content, written.imageDigest ?? null, clock.now())
    session.hold([{ kind: 'layer', digest: diffId }])
  })
  return findLayer(core, diffId)!
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

async function ensureVerified(core: Core, diffId: Digest, { signal }: OperationOptions): Promise<LayerRecord> {
  const record = findLayer(core, diffId)
  if (!record) {
    throw new BaleError('STORE_DAMAGED', `the layer ${diffId} is missing from the store`, {
      hint: healing(core, diffId),
      details: { diffId },
    })
  }
  if (await isMarked(core, diffId)) return record
  try {
    await (await loadFormat(core, record.format)).verifyMountable(record.directory, record, { signal })
  } catch (error) {
    if (!isBaleError(error, 'STORE_DAMAGED')) throw error
    // Without its row the layer is fetched again by the next pull, which also replaces the directory.
    core.database.run('DELETE FROM layers WHERE diff_id = ?', diffId)
    throw new BaleError('STORE_DAMAGED', error.message, {
      hint: healing(core, diffId),
      details: { diffId },
      cause: error,
    })
  }
  await markVerified(core, diffId)
  return record
}

/** The next command of who meets a layer that is not as it should be. */
function healing(core: Core, diffId: Digest): string {
  const images = imagesNeeding(core, 'layer', diffId)
  const which = images.length === 0 ? 'the image' : images.join(', ')
  return `pull, load or build ${which} again: only this layer is made anew`
}

const markPath = ({ layout }: Core, diffId: Digest) => join(layout.verified, hexOf(diffId))

async function isMarked(core: Core, diffId: Digest): Promise<boolean> {
  const path = markPath(core, diffId)
  return existsSync(path) && (await readText(path, { encoding: 'latin1' })) === bootId()
}

async function markVerified(core: Core, diffId: Digest): Promise<void> {
  await writeFileAtomic(markPath(core, diffId), bootId())
}
