import { BaleError, createPiecePool, type OperationOptions, type PiecePool, silent } from '#base'
import { gzipEncoder, gzipParallel, PIECE_BYTES, zstdEncoder, zstdStream } from '#format/compression'
import { acquireLock } from '#host/file'
import { openIsal } from '#host/isal'
import type { TakesBlobsAhead } from '#image'
import {
  type Descriptor,
  type Digest,
  hexOf,
  layerCompression,
  MediaType,
  parseImageConfig,
  parseManifest,
} from '#spec'
import { type DocumentRow, findBlob, findDocument, findLayer } from '#store/rows'
import type { Core, Intake } from './core.ts'
import { insertBlob } from './insert-blob.ts'
import { verifiedTar } from './verified-read.ts'

/**
 * How a layer that was made here is compressed for a push: gzip is read by every registry's scanners and every runtime, zstd
 * only on explicit request.
 */
export interface CompressLayerOptions extends OperationOptions {
  compression?: 'gzip' | 'zstd'
  /** Where a blob goes that is made now, while it is being made. `putBlob` of it is still to follow. */
  ahead?: TakesBlobsAhead
}

/**
 * A compressed blob of a layer, for a push: one that an image here has already (pulled or loaded, however it is compressed;
 * or compressed in this way by an earlier push), else made now, gzip on all cores. The bytes depend on the layer and the encoder
 * only. The blob is held by the operation until a manifest names it.
 */
export async function compressLayer(
  core: Intake,
  diffId: Digest,
  { compression = 'gzip', ahead, ...options }: CompressLayerOptions = {},
): Promise<Descriptor> {
  // Not the layer's own lock: pulls and runs of the layer need not wait for a compressor.
  await using _lock = await acquireLock(core.layout.lock('blob', diffId), {
    ...options,
    what: `layer ${diffId}, which another process compresses`,
  })
  const known = knownBlob(core, diffId, compression)
  if (known) {
    core.lease.hold([{ kind: 'blob', digest: known.digest }])
    return known
  }
  const record = findLayer(core, diffId)
  if (!record) throw new BaleError('BLOB_NOT_FOUND', `no layer has the diff ID ${diffId}`)
  const progress = options.progress ?? silent
  let read = 0
  let told = 0
  const pieces = createPiecePool(PIECE_BYTES)
  const counted = async function* () {
    // Checked against the diff ID: the output of a damaged layer must not get a digest of its own and spread.
    for await (const chunk of verifiedTar(core, record, { pieces })) {
      options.signal?.throwIfAborted()
      read += chunk.byteLength
      yield chunk
      if (read - told < STEP) continue
      told = read
      progress({ kind: 'layer', digest: diffId, phase: 'compressing', current: read, total: record.tarSize })
    }
  }
  await using writer = await core.blobs.writer(`compress-${compression}-${hexOf(diffId)}`, options)
  // Half a stream is worth nothing: the compressor cannot be set up again in the middle.
  await writer.reset()
  using sending = record.tarSize < WORTH_AHEAD ? undefined : await ahead?.putBlobAhead(options)
  sending?.send(writer.follow())
  const encoding = compression === 'gzip' ? await gzip(counted(), pieces, options) : zstd(counted(), pieces)
  for await (const chunk of encoding.stream) await writer.write(chunk)
  const descriptor = { mediaType: TYPES[compression], digest: writer.digest(), size: writer.offset }
  // From file to row under the blob's own lock: a collection takes what has no row and no lock for a leftover.
  await using _blob = await acquireLock(core.layout.lock('blob', descriptor.digest), {
    ...options,
    what: `blob ${descriptor.digest}, which another process writes`,
  })
  await writer.commit(descriptor)
  insertBlob(core, descriptor, encoding.encoder)
  sending?.named(descriptor)
  return descriptor
}

/** Bytes. A shorter layer is compressed whole in less time than the additional request of an upload in pieces takes. */
const WORTH_AHEAD = 4 << 20

/** Bytes between two progress events. */
const STEP = 4 << 20

const TYPES = { gzip: MediaType.ociLayerGzip, zstd: MediaType.ociLayerZstd } as const

async function gzip(tar: AsyncIterable<Uint8Array>, pieces: PiecePool, { signal }: OperationOptions) {
  const how = { library: await openIsal(), pieces, signal }
  return { stream: gzipParallel(tar, how), encoder: gzipEncoder(how) }
}

const zstd = (tar: AsyncIterable<Uint8Array>, pieces: PiecePool) => ({
  stream: zstdStream(tar, { pieces }),
  encoder: zstdEncoder(),
})

/**
 * One of the wanted compression, or else one that came from elsewhere: the layer goes on as it came, so that its registry
 * has it already and every image on it shares it.
 */
function knownBlob(core: Core, diffId: Digest, wanted: keyof typeof TYPES): Descriptor | undefined {
  let elsewhere: Descriptor | undefined
  for (const { compression, digest, size, encoder } of blobsOf(core, diffId)) {
    const known = { mediaType: TYPES[compression], digest, size }
    if (compression === wanted) return known
    if (encoder === null) elsewhere ??= known
  }
  return elsewhere
}

interface KnownBlob {
  compression: keyof typeof TYPES
  digest: Digest
  size: number
  encoder: string | null
}

/**
 * The compressed blobs of a layer that are here, oldest first. The order in manifests maps blobs to layers. A layer may be part of
 * a thousand images: no more manifests are parsed than the caller asks for.
 */
function* blobsOf(core: Core, diffId: Digest): Generator<KnownBlob> {
  const sql = `SELECT documents.* FROM edges JOIN documents ON documents.digest = edges.parent
    WHERE edges.kind = 'layer' AND edges.child = ? AND documents.image IS NOT NULL ORDER BY documents.created`
  for (const row of core.database.all<DocumentRow>(sql, diffId)) {
    const config = findDocument(core, row.image!)
    const parsed = parseManifest(row.bytes, row.media_type)
    if (!config || parsed.kind !== 'manifest') continue
    const layer = parsed.manifest.layers[parseImageConfig(config.bytes).rootfs.diff_ids.indexOf(diffId)]
    const compression = layer && layerCompression(layer.mediaType)
    if (compression !== 'gzip' && compression !== 'zstd') continue
    const found = findBlob(core, layer!.digest)
    if (found) yield { compression, digest: layer!.digest, size: found.size, encoder: found.encoder }
  }
}
