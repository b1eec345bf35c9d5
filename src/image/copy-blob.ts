import { type CopyAct, type Progress, silent } from '#base'
import { passedOn } from '#blob'
import type { Descriptor } from '#spec'
import type { BlobContext, BlobOutcome, ImageSource, ImageTarget } from './image-place.ts'

interface BlobCopy {
  source: ImageSource
  target: ImageTarget
  descriptor: Descriptor
  context: BlobContext
  act: CopyAct
  signal?: AbortSignal
  progress?: Progress
}

/** Copies one layer that the target lacks, and reports how it goes. Returns the bytes that the target gained by it. */
export async function copyBlob(copy: BlobCopy): Promise<number> {
  const { source, target, descriptor, act, signal } = copy
  const { digest, size } = descriptor
  const progress = copy.progress ?? silent
  const open = async (offset: number) => {
    const stream = await source.blob(descriptor, { offset, signal })
    const report = (done: number) =>
      progress({ kind: 'layer', digest, phase: 'moving', act, current: offset + done, total: size })
    return passedOn(stream, (bytes) => counted(bytes, size - offset, report))
  }
  const outcome = await target.putBlob(descriptor, open, { ...copy.context, signal, progress: copy.progress })
  if (outcome.how === 'mounted') progress({ kind: 'layer', digest, phase: 'mounted', from: outcome.from })
  else progress({ kind: 'layer', digest, phase: 'done', act })
  return gained(outcome, size)
}

function gained(outcome: BlobOutcome, size: number): number {
  if (outcome.how === 'moved') return outcome.bytes
  return outcome.how === 'shared' ? size : 0
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
  report: (done: number) => void,
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
        report(done)
        reported = done
        reportedAt = now
      }
      yield chunk
    }
  } finally {
    if (done > reported) report(done)
  }
}
