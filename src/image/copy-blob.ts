import { type Progress, silent } from '#base'
import { type Descriptor, shortId } from '#spec'
import type { CopyWords } from './copy-words.ts'
import type { BlobContext, ImageSource, ImageTarget } from './image-place.ts'

export interface BlobCopy {
  source: ImageSource
  target: ImageTarget
  descriptor: Descriptor
  context: BlobContext
  words: CopyWords
  signal?: AbortSignal
  progress?: Progress
}

/** Copies one blob that the target has not, and tells how it goes. Returns the bytes that went over. */
export async function copyBlob(copy: BlobCopy): Promise<number> {
  const { source, target, descriptor, words, signal } = copy
  const id = shortId(descriptor.digest)
  const progress = copy.progress ?? silent
  let moved = 0
  let opened = false
  let mounted = false
  const open = async (offset: number) => {
    opened = true
    const stream = await source.blob(descriptor, { offset, signal })
    const status = words.moving
    return counted(stream, descriptor.size - offset, (done, chunk) => {
      moved += chunk
      progress({ kind: 'advance', id, status, current: offset + done, total: descriptor.size })
    })
  }
  await target.putBlob(descriptor, open, {
    ...copy.context,
    signal,
    progress: (event) => {
      // A target in the registry of the source may link the blob instead of taking its bytes; it says so itself.
      mounted ||= event.kind === 'status' && event.status.startsWith('Mounted from')
      progress(event)
    },
  })
  if (mounted) return moved
  progress({ kind: 'status', id, status: words.done })
  // A target that shares the source's files reads them by itself.
  return opened ? moved : descriptor.size
}

const STEP = 256 * 1024
const STEP_MILLISECONDS = 100

/**
 * Passes a stream on and reports its first bytes, then at most a hundred times or every STEP bytes, whichever is rarer
 * (a slow stream: ten times a second), and at its end.
 */
async function* counted(
  stream: AsyncIterable<Uint8Array>,
  expected: number,
  report: (done: number, since: number) => void,
): AsyncGenerator<Uint8Array> {
  const step = Math.max(STEP, expected / 100)
  let done = 0
  let reported = 0
  let reportedAt = Number.NEGATIVE_INFINITY
  try {
    for await (const chunk of stream) {
      done += chunk.byteLength
      const now = performance.now()
      if (done - reported >= step || now - reportedAt >= STEP_MILLISECONDS) {
        report(done, done - reported)
        reported = done
        reportedAt = now
      }
      yield chunk
    }
  } finally {
    if (done > reported) report(done, done - reported)
  }
}
