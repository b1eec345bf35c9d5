import { type MessagePort, parentPort, type Transferable } from 'node:worker_threads'
import { streamFile } from '#host/file'
import type { WrittenLayer } from '#store/rows'
import { ByteReceiver, type FromWorker, type ToWorker, toPlain } from './byte-channel.ts'
import type { LayerFormatLoaders } from './layer-format.ts'
import { type LayerJob, runLayerJob } from './layer-job.ts'

/** A file that the worker reads by itself instead of getting bytes over the port. */
export interface InputFile {
  path: string
  offset: number
  size: number
}

export interface WorkerRequest {
  job: LayerJob
  file?: InputFile
  /** The buffers of the bytes that come over the port are given back. */
  givesBack?: boolean
  port: MessagePort
}

/** The worker thread: takes jobs one after the other, each with a port of its own. */
export function serve(formats: LayerFormatLoaders): void {
  parentPort!.on('message', (request: WorkerRequest) => answer(request, formats))
}

function answer({ job, file, givesBack, port }: WorkerRequest, formats: LayerFormatLoaders): void {
  const post = (message: FromWorker<WrittenLayer>, transferred: Transferable[] = []) =>
    port.postMessage(message, transferred)
  const receiver = new ByteReceiver(post, { givesBack })
  const stop = new AbortController()
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'abort') {
      stop.abort(new Error('aborted'))
      receiver.take({ kind: 'failed', error: { message: 'aborted' } })
    } else receiver.take(message)
  })
  const open = async (offset: number) =>
    file
      ? streamFile(file.path, { start: file.offset + offset, end: file.offset + file.size, signal: stop.signal })
      : receiver.open(offset)
  runLayerJob(job, formats, open, { signal: stop.signal, givesBack })
    .then(
      (result) => post({ kind: 'result', result }),
      (error: unknown) => post({ kind: 'failed', error: toPlain(error) }),
    )
    .finally(() => port.close())
}
