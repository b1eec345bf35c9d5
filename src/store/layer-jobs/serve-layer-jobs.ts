import { type MessagePort, parentPort } from 'node:worker_threads'
import { lendFile } from '#host/file'
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
  port: MessagePort
}

/** The worker thread: takes jobs one after the other, each with a port of its own. */
export function serve(formats: LayerFormatLoaders): void {
  parentPort!.on('message', (request: WorkerRequest) => answer(request, formats))
}

function answer({ job, file, port }: WorkerRequest, formats: LayerFormatLoaders): void {
  const post = (message: FromWorker<WrittenLayer>, transfer?: ArrayBuffer[]) => port.postMessage(message, transfer)
  const receiver = new ByteReceiver(post)
  const stop = new AbortController()
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'abort') {
      stop.abort(new Error('aborted'))
      receiver.take({ kind: 'failed', error: { message: 'aborted' } })
    } else receiver.take(message)
  })
  const open = async (offset: number) =>
    file
      ? lendFile(file.path, { start: file.offset + offset, end: file.offset + file.size, signal: stop.signal })
      : receiver.open(offset)
  runLayerJob(job, formats, open, stop.signal)
    .then(
      (result) => post({ kind: 'result', result }),
      (error: unknown) => post({ kind: 'failed', error: toPlain(error) }),
    )
    .finally(() => port.close())
}
