import { BaleError, firstError, type OperationOptions, readAll, silent } from '#base'
import { acquireLock, asNoSpace, streamFile } from '#host/file'
import { type BlobContext, type BlobOutcome, hasLocalFiles } from '#image'
import { CONFIG_LIMIT, type Descriptor, type Digest, isConfigType } from '#spec'
import { isWrongContent, type LayerJob, type OpenInput } from '#store/layer-jobs'
import { findBlob, findLayer } from '#store/rows'
import type { Intake } from './core.ts'
import { insertBlob } from './insert-blob.ts'
import { publishLayer, scratchDirectory } from './publish-layer.ts'
import { insertConfig } from './put-config.ts'

type Options = OperationOptions & BlobContext

/** Writes a blob: a config into the database, a layer as blob and layer in one pass, anything else as a file. */
export async function putBlob(
  core: Intake,
  descriptor: Descriptor,
  open: OpenInput,
  options: Options,
): Promise<BlobOutcome> {
  if (options.isImageConfig || isConfigType(descriptor.mediaType)) return putConfig(core, descriptor, open)
  try {
    return await putLocked(core, descriptor, open, options)
  } catch (error) {
    throw asNoSpace(firstError(error), 'a blob')
  }
}

async function putLocked(
  core: Intake,
  descriptor: Descriptor,
  open: OpenInput,
  options: Options,
): Promise<BlobOutcome> {
  const { diffId } = options
  // One lock per digest: a second caller waits and finds the first one's result.
  await using _blob = diffId === descriptor.digest ? undefined : await lock(core, 'blob', descriptor.digest, options)
  await using _layer = diffId === undefined ? undefined : await lock(core, 'layer', diffId, options)
  // Awaited, or the locks would be released before the work is done.
  if (diffId === undefined) return await putPlain(core, descriptor, open, options)
  if (findLayer(core, diffId)) {
    core.lease.hold([{ kind: 'layer', digest: diffId }])
    return diffId === descriptor.digest ? { how: 'existed' } : await putPlain(core, descriptor, open, options)
  }
  try {
    return await putLayer(core, descriptor, diffId, open, options)
  } catch (error) {
    // The part that an earlier transfer left may have been damaged by a power cut. It is removed now; retry with the whole blob.
    if (!(isWrongContent(error) && resumed.has(error))) throw error
    return await putLayer(core, descriptor, diffId, open, options)
  }
}

/** Failures of transfers that did not begin at the first byte. */
const resumed = new WeakSet<Error>()

async function putConfig(core: Intake, descriptor: Descriptor, open: OpenInput): Promise<BlobOutcome> {
  if (descriptor.size > CONFIG_LIMIT) {
    throw new BaleError('LIMIT_EXCEEDED', `the image config ${descriptor.digest} has ${descriptor.size} bytes`)
  }
  insertConfig(core, descriptor, await readAll(await open(0), { limit: descriptor.size + 1, what: 'the image config' }))
  return { how: 'moved', bytes: descriptor.size }
}

/** Layer and blob, or the layer from an existing blob. */
async function putLayer(
  core: Intake,
  descriptor: Descriptor,
  diffId: Digest,
  open: OpenInput,
  options: Options,
): Promise<BlobOutcome> {
  const { layout, workers } = core
  const here = diffId === descriptor.digest ? undefined : findBlob(core, descriptor.digest)
  const blob = here ? 'check' : diffId === descriptor.digest ? 'derive' : 'keep'
  const file = here ? { ...here, offset: 0 } : await localFile(descriptor, options)
  await using scratch = await scratchDirectory(core)
  const job: LayerJob = {
    format: core.formats.written,
    directory: scratch.path,
    diffId,
    incoming: {
      descriptor: { digest: descriptor.digest, size: descriptor.size },
      blob,
      blobs: { directory: layout.blobs, temporary: layout.temporary },
    },
  }
  let began = 0
  const small = descriptor.size <= SMALL
  const input: OpenInput = async (offset) => {
    began = offset
    if (!file) return open(offset)
    return streamFile(file.path, { start: file.offset + offset, end: file.offset + file.size })
  }
  const run = { signal: options.signal, file: small ? undefined : file, small }
  try {
    const written = await workers.run(job, input, run)
    await publishLayer(core, scratch.path, written)
  } catch (error) {
    if (began > 0 && error instanceof Error) resumed.add(error)
    throw error
  }
  if (blob === 'keep') insertBlob(core, descriptor)
  else if (blob === 'check') core.lease.hold([{ kind: 'blob', digest: descriptor.digest }])
  if (here) return { how: 'existed' }
  return file ? { how: 'shared' } : { how: 'moved', bytes: descriptor.size - began }
}

const SMALL = 256 << 10

/** The bytes alone: no layer, or an existing one. */
async function putPlain(core: Intake, descriptor: Descriptor, open: OpenInput, options: Options): Promise<BlobOutcome> {
  if (findBlob(core, descriptor.digest)) {
    core.lease.hold([{ kind: 'blob', digest: descriptor.digest }])
    return { how: 'existed' }
  }
  const { signal } = options
  await using writer = await core.blobs.writer(descriptor.digest, { signal })
  if (writer.offset > descriptor.size) await writer.reset()
  const began = writer.offset
  const file = await localFile(descriptor, options)
  const transfer = async () => {
    if (writer.offset < descriptor.size || descriptor.size === 0) {
      const stream = file
        ? streamFile(file.path, { start: file.offset + writer.offset, end: file.offset + file.size })
        : await open(writer.offset)
      for await (const chunk of stream) {
        signal?.throwIfAborted()
        await writer.write(chunk)
        if (writer.offset > descriptor.size) break
      }
    }
    await writer.commit(descriptor)
  }
  try {
    await transfer()
  } catch (error) {
    if (!(began > 0 && isWrongContent(error))) throw error
    await writer[Symbol.asyncDispose]()
    return await putPlain(core, descriptor, open, options)
  }
  insertBlob(core, descriptor)
  return file ? { how: 'shared' } : { how: 'moved', bytes: descriptor.size - began }
}

async function localFile(descriptor: Descriptor, { from }: Options) {
  return hasLocalFiles(from) ? from.localFile(descriptor) : undefined
}

/** Reports waiting when another process is writing the same layer. */
async function lock(core: Intake, kind: 'layer' | 'blob', digest: Digest, options: Options): Promise<AsyncDisposable> {
  const path = core.layout.lock(kind, digest)
  try {
    return await acquireLock(path, { timeoutMs: 0, signal: options.signal })
  } catch (error) {
    if (!(error instanceof BaleError && error.code === 'LOCKED')) throw error
  }
  const progress = options.progress ?? silent
  progress({ kind: 'layer', digest, phase: 'waiting' })
  try {
    return await acquireLock(path, { signal: options.signal })
  } catch (error) {
    options.signal?.throwIfAborted()
    throw error
  }
}
