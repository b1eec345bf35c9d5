import { isBaleError, type Log, noLog, type OperationOptions } from '#base'
import type { BlobAhead, BlobOutcome } from '#image'
import type { Descriptor, Digest } from '#spec'
import { closeUpload, openUpload, sendPiece } from './blob-upload.ts'
import type { Names } from './names.ts'
import type { Session } from './session.ts'

/** Blobs that a registry gets while they are still being made, so that their digests are told at the end. */
interface BlobsAhead extends Disposable {
  /** Opens an upload. Undefined when there are enough; throws UNAUTHORIZED or DENIED before anything is made in vain. */
  begin(options?: OperationOptions): Promise<BlobAhead | undefined>
  /**
   * Waits for the blob that is on its way under this digest. Undefined when there is none, or it failed: then it is to be
   * sent as any other, whose errors count.
   */
  join(descriptor: Descriptor, options?: OperationOptions): Promise<BlobOutcome | undefined>
}

/** As many as a copy moves at once. */
const AT_ONCE = 3
/** Milliseconds between two reports of a blob's progress. */
const STEP = 100

interface Sending {
  /** Where the upload is closed, when the registry has all bytes. */
  readonly sent: Promise<URL>
  readonly stop: AbortController
  bytes: number
}

/**
 * POST, PATCH with a stream of unknown length, PUT with the digest: what docker does for every layer, so that all registries can do
 * it. Source: distribution-spec, "Pushing a blob in chunks".
 */
export function createBlobsAhead(session: Session, names: Names, log: Log = noLog): BlobsAhead {
  const open = new Set<Sending>()
  const named = new Map<Digest, Sending>()
  const failed = (error: unknown) =>
    log.debug('transport', `a blob could not be sent while it was made: ${(error as Error).message}`)

  async function begin({ signal }: OperationOptions = {}): Promise<BlobAhead | undefined> {
    if (open.size >= AT_ONCE) return undefined
    let place: URL
    try {
      place = await openUpload(session, names, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      if (isBaleError(error, 'UNAUTHORIZED') || isBaleError(error, 'DENIED')) throw error
      failed(error)
      return undefined
    }
    let sending: Sending | undefined
    return {
      send(bytes) {
        const stop = new AbortController()
        const more = { signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal }
        const one: Sending = { bytes: 0, stop, sent: sendPiece(session, names, place, () => counted(one, bytes), more) }
        one.sent.catch(() => undefined)
        open.add(one)
        sending = one
      },
      named({ digest }) {
        if (sending) named.set(digest, sending)
        sending = undefined
      },
      [Symbol.dispose]() {
        if (sending) giveUp(sending)
      },
    }
  }

  function giveUp(sending: Sending): void {
    sending.stop.abort()
    open.delete(sending)
  }

  async function join(descriptor: Descriptor, options: OperationOptions = {}): Promise<BlobOutcome | undefined> {
    const { digest, size } = descriptor
    const sending = named.get(digest)
    if (!sending) return undefined
    named.delete(digest)
    const report = () =>
      options.progress?.({ kind: 'layer', digest, phase: 'moving', act: 'push', current: sending.bytes, total: size })
    const timer = setInterval(report, STEP)
    report()
    try {
      await closeUpload(session, names, descriptor, await sending.sent, options)
      report()
      return { how: 'moved', bytes: size }
    } catch (error) {
      options.signal?.throwIfAborted()
      failed(error)
      return undefined
    } finally {
      clearInterval(timer)
      open.delete(sending)
    }
  }

  return {
    begin,
    join,
    [Symbol.dispose]() {
      for (const sending of open) giveUp(sending)
    },
  }
}

async function* counted(sending: Sending, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    yield chunk
    sending.bytes += chunk.byteLength
  }
}
