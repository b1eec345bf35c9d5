import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { createLimiter } from '#base'
import { threadProgram } from '#host/file'
import type { WrittenLayer } from '#store/rows'
import { ByteSender, type FromWorker, fromPlain, type ToWorker, toPlain } from './byte-channel.ts'
import type { LayerFormats } from './layer-format.ts'
import { type LayerJob, type OpenInput, runLayerJob, workerFailed } from './layer-job.ts'
import type { InputFile, WorkerRequest } from './serve-layer-jobs.ts'

interface RunOptions {
  /** Read by the worker itself, instead of `open`. */
  file?: InputFile
  signal?: AbortSignal
  /** Too little to be worth a thread: done right here. */
  small?: boolean
  /** Each chunk of the input has a buffer of its own, which nobody needs any more. */
  owned?: boolean
  /** Of an `owned` tar: gets the buffers of its chunks again, to be filled anew. */
  giveBack?(buffer: ArrayBuffer): void
}

/** Runs layer jobs on a few threads, made when first needed. They do not keep the process alive while idle. */
export interface LayerWorkers extends AsyncDisposable {
  run(job: LayerJob, open: OpenInput, options?: RunOptions): Promise<WrittenLayer>
}

/**
 * Each can keep two cores busy, since inflating runs on other threads. A thread takes 19 MB before it does anything, and
 * a pull with two of them comes to 225 MB of the 250 that it may have: there is no room for a third.
 */
const MOST = 2
/** Half of Node's default: little is alive at a time. With the flags of bin/bale it is part of one tried setting. */
const YOUNG_MEGABYTES = 24

export function createLayerWorkers(
  formats: LayerFormats,
  count = Math.min(availableParallelism(), MOST),
): LayerWorkers {
  const limited = createLimiter(count)
  const idle: Worker[] = []
  const all = new Set<Worker>()
  const start = () => {
    const { code, options } = threadProgram(formats.worker)
    const worker = new Worker(code, {
      ...options,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    })
    all.add(worker)
    worker.once('exit', () => {
      all.delete(worker)
      const index = idle.indexOf(worker)
      if (index >= 0) idle.splice(index, 1)
    })
    return worker
  }
  return {
    run: (job, open, options = {}) =>
      options.small
        ? runLayerJob(job, formats.loaders, open, options.signal)
        : limited(async () => {
            const worker = idle.pop() ?? start()
            worker.ref()
            try {
              return await runIn(worker, job, open, options)
            } finally {
              worker.unref()
              if (all.has(worker)) idle.push(worker)
            }
          }),
    async [Symbol.asyncDispose]() {
      await Promise.all([...all].map((worker) => worker.terminate()))
    },
  }
}

async function runIn(worker: Worker, job: LayerJob, open: OpenInput, options: RunOptions): Promise<WrittenLayer> {
  const { signal, file, owned, giveBack } = options
  signal?.throwIfAborted()
  const { port1: port, port2 } = new MessageChannel()
  const sender = new ByteSender(port, giveBack)
  let sending: Promise<void> = Promise.resolve()
  const abort = () => {
    sender.stop()
    tell(port, { kind: 'abort' })
  }
  signal?.addEventListener('abort', abort, { once: true })
  const { promise, resolve, reject } = Promise.withResolvers<WrittenLayer>()
  const died = (error: unknown) => reject(workerFailed(error instanceof Error ? error.message : `exit ${error}`))
  worker.once('error', died)
  worker.once('exit', died)
  port.on('message', (message: FromWorker<WrittenLayer>) => {
    if (message.kind === 'open')
      sending = feed(port, sender, open, { offset: message.offset, owned, comesBack: giveBack !== undefined })
    else if (message.kind === 'credit') sender.give(message.bytes, message.memory)
    else if (message.kind === 'close') sender.stop()
    else if (message.kind === 'result') resolve(message.result)
    else reject(fromPlain(message.error))
  })
  const request: WorkerRequest = { job, file, port: port2 }
  worker.postMessage(request, [port2])
  try {
    return await promise
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
    worker.off('error', died)
    worker.off('exit', died)
    sender.stop()
    await sending
    port.close()
  }
}

/** Never rejects: a failing input is reported to the worker, whose answer is the job's. */
async function feed(
  port: MessagePort,
  sender: ByteSender,
  open: OpenInput,
  { offset, owned, comesBack }: { offset: number; owned?: boolean; comesBack: boolean },
): Promise<void> {
  try {
    await sender.send(await open(offset), { owned, comesBack })
  } catch (error) {
    tell(port, { kind: 'failed', error: toPlain(error) })
  }
}

function tell(port: MessagePort, message: ToWorker): void {
  port.postMessage(message)
}
