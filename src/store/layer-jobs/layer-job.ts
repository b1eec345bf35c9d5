import { join } from 'node:path'
import { BaleError, firstError } from '#base'
import { type BlobWriter, createFileBlobs, digestMismatch, sizeMismatch, verifying } from '#blob'
import { decompress, detectStream } from '#format/compression'
import { asNoSpace, streamFile } from '#host/file'
import { openIsal } from '#host/isal'
import { algorithmOf, type Descriptor, type Digest, hexOf } from '#spec'
import type { LayerFormatName, WrittenLayer } from '#store/rows'
import { sweepBuffers } from './buffer-sweep.ts'
import { type LayerFormatLoaders, loadLayerFormat } from './layer-format.ts'
import { isWrongContent } from './wrong-content.ts'

/** Everything that a worker needs to write one layer; plain data. */
export interface LayerJob {
  format: LayerFormatName
  /** New, empty directory for the layer. */
  directory: string
  /** The diff ID that the layer must have. */
  diffId?: Digest
  /** What the incoming bytes must be. Without it they are an uncompressed tar of any content. */
  incoming?: {
    descriptor: Pick<Descriptor, 'digest' | 'size'>
    /**
     * `keep`: written as a blob while they pass, beginning with what an interrupted transfer left. `check`: they come
     * from a blob of the store. `derive`: they are the tar itself, which the layer can reproduce.
     */
    blob: 'keep' | 'check' | 'derive'
    /** Directories of the blob store. */
    blobs: { directory: string; temporary: string }
  }
}

interface JobOptions {
  signal?: AbortSignal
  /** The buffers that come in go back, so there are none to be freed. */
  givesBack?: boolean
}

/** Where a job gets its bytes; `offset` is above 0 only for `keep`. */
export type OpenInput = (offset: number) => Promise<AsyncIterable<Uint8Array>>

/**
 * One pass: verify | write the blob | decompress | hash | write the layer. The blob is published at the end (when it is
 * kept); publishing the directory is left to the caller. Throws DIGEST_MISMATCH, SIZE_MISMATCH, INVALID_*, NO_SPACE.
 */
export async function runLayerJob(
  job: LayerJob,
  formats: LayerFormatLoaders,
  open: OpenInput,
  { signal, givesBack = false }: JobOptions = {},
): Promise<WrittenLayer> {
  const layerFormat = await loadLayerFormat(formats, job.format)
  const write = async (tar: AsyncIterable<Uint8Array>) => {
    const written = await layerFormat.write(job.directory, abortable(tar, { signal, givesBack }), { signal })
    if (job.diffId && written.diffId !== job.diffId) throw digestMismatch(job.diffId, written.diffId)
    return written
  }
  try {
    if (!job.incoming) return await write(await open(0))
    return await writeIncoming(job.incoming, open, write, signal)
  } catch (error) {
    signal?.throwIfAborted()
    throw asNoSpace(firstError(error), 'a layer')
  }
}

type Write = (tar: AsyncIterable<Uint8Array>) => Promise<WrittenLayer>

async function writeIncoming(
  { descriptor, blob, blobs: directories }: NonNullable<LayerJob['incoming']>,
  open: OpenInput,
  write: Write,
  signal?: AbortSignal,
): Promise<WrittenLayer> {
  if (blob === 'derive') return write(sized(await open(0), descriptor))
  if (blob === 'check') {
    const intake = new Intake(verifying(await open(0), descriptor))
    return writeAll(intake, write)
  }
  await using writer = await createFileBlobs(directories).writer(descriptor.digest, { signal })
  if (writer.offset > descriptor.size) await writer.reset()
  const intake = new Intake(recorded(writer, descriptor, partialPath(directories.temporary, descriptor.digest), open))
  try {
    const written = await writeAll(intake, write)
    await writer.commit(descriptor)
    return written
  } catch (error) {
    if (isBlamed(error)) {
      // All bytes are there: their digest shows whether the transfer or the layer's creator is to blame.
      await writer.commit(descriptor)
      await createFileBlobs(directories).delete(descriptor.digest)
    } else if (isWrongContent(error)) await writer.discard()
    throw error
  }
}

async function writeAll(intake: Intake, write: Write): Promise<WrittenLayer> {
  let written: WrittenLayer
  try {
    const { compression, stream } = await detectStream(intake.stream())
    const library = compression === 'gzip' ? await openIsal() : undefined
    written = await write(decompress(stream, compression, { library, lend: true }))
  } catch (error) {
    // Damaged bytes look like a bad tar or gzip first; their digest shows whose fault it is.
    if (isWrongContent(error)) await intake.drain()
    throw error
  } finally {
    await intake.close()
  }
  return written
}

/** Content errors raised before the digest of the bytes was checked. */
function isBlamed(error: unknown): boolean {
  return isWrongContent(error) && error.code.startsWith('INVALID_')
}

/** As #blob's file store names the partial of a digest; the bytes before the writer's offset are read back from it. */
function partialPath(temporary: string, digest: Digest): string {
  return join(temporary, `${algorithmOf(digest)}-${hexOf(digest)}.partial`)
}

/** First what is on disk already, then the rest as it comes and is written. Ends only with all bytes there. */
async function* recorded(
  writer: BlobWriter,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  partial: string,
  open: OpenInput,
): AsyncGenerator<Uint8Array> {
  const offset = writer.offset
  if (offset > 0) yield* streamFile(partial, { end: offset })
  if (offset < descriptor.size || descriptor.size === 0) {
    for await (const chunk of await open(offset)) {
      if (writer.offset + chunk.byteLength > descriptor.size) throw sizeMismatch(descriptor, 'more')
      await writer.write(chunk)
      yield chunk
    }
  }
  if (writer.offset !== descriptor.size) throw sizeMismatch(descriptor, writer.offset)
}

async function* sized(
  stream: AsyncIterable<Uint8Array>,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of stream) {
    size += chunk.byteLength
    if (size > descriptor.size) throw sizeMismatch(descriptor, 'more')
    yield chunk
  }
  if (size !== descriptor.size) throw sizeMismatch(descriptor, size)
}

async function* abortable(
  stream: AsyncIterable<Uint8Array>,
  { signal, givesBack }: JobOptions,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    signal?.throwIfAborted()
    if (!givesBack) sweepBuffers(chunk.byteLength)
    yield chunk
  }
}

/** A stream that a consumer may leave early without ending it, so that the rest can still be read. */
class Intake {
  readonly #iterator: AsyncIterator<Uint8Array>
  #ended = false

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]()
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = await this.#next()
      if (!chunk) return
      yield chunk
    }
  }

  async drain(): Promise<void> {
    while (await this.#next());
  }

  async close(): Promise<void> {
    this.#ended = true
    await this.#iterator.return?.()
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#ended) return undefined
    try {
      const result = await this.#iterator.next()
      if (!result.done) return result.value
      this.#ended = true
      return undefined
    } catch (error) {
      this.#ended = true
      throw error
    }
  }
}

/** Kept by the caller for its message in case a worker dies silently. */
export function workerFailed(reason: string): BaleError {
  return new BaleError('INTERNAL', `a worker thread ended unexpectedly: ${reason}`)
}
