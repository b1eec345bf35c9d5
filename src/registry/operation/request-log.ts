import { type FileHandle, open } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import type { EndedRequest, Observe } from './registry-event.ts'

/** A line of JSON for each request. Disposing writes what is left. */
interface RequestLog extends AsyncDisposable {
  observe: Observe
  /** Opens the file anew, after its name was given to another one. Never rejects. */
  reopen(): Promise<void>
}

/** Where lines go. */
interface Sink {
  write(text: string): Promise<void>
  close(): Promise<void>
}

/** Bytes that wait for a disk or a reader; requests do not wait for either. */
const MOST_WAITING = 8 << 20

/** Writes to a stream, or to the end of a file. What cannot be written is lost, and `report` is told. */
export async function openRequestLog(
  place: Writable | string,
  report: (failure: unknown, what: string) => void,
): Promise<RequestLog> {
  const openSink = () => (typeof place === 'string' ? fileSink(place) : Promise.resolve(streamSink(place)))
  let sink = await openSink()
  let waiting = ''
  let dropped = 0
  let work = Promise.resolve()
  const then = (act: () => Promise<void>) => {
    work = work.then(act).catch((error: unknown) => report(error, 'writing the request log'))
    return work
  }
  const flush = async () => {
    const text = waiting
    waiting = ''
    if (text !== '') await sink.write(text)
    if (dropped > 0) report(new Error(`${dropped} lines were lost: they came faster than they were written`), LOG)
    dropped = 0
  }
  return {
    observe(event) {
      if (event.kind !== 'request-ended') return
      if (waiting.length > MOST_WAITING) return void dropped++
      if (waiting === '') void then(flush)
      waiting += lineOf(event)
    },
    reopen: () =>
      then(async () => {
        const next = await openSink()
        await sink.close()
        sink = next
      }),
    async [Symbol.asyncDispose]() {
      await then(flush)
      await sink.close()
    },
  }
}

const LOG = 'writing the request log'

/** The keys are an interface: they are described in docs/registry/operate.md. */
function lineOf({ time, id, method, path, status, bytesOut, milliseconds, address, user, aborted }: EndedRequest) {
  const line = {
    time: new Date(time).toISOString(),
    ...{ id, method, path, status, bytesOut },
    milliseconds: Math.round(milliseconds),
    ...{ address, user },
    aborted: aborted || undefined,
  }
  return `${JSON.stringify(line)}\n`
}

/** Its group may read it: what collects logs is not root. */
async function fileSink(path: string): Promise<Sink> {
  const file = await open(path, 'a', 0o640)
  return { write: (text) => writeLines(file, text), close: () => file.close() }
}

const AT_ONCE = 256 << 10

/** Several processes may append to one file: what is written at once, which stays together, are whole lines. */
async function writeLines(file: FileHandle, text: string): Promise<void> {
  for (let at = 0; at < text.length; ) {
    const end = text.length - at <= AT_ONCE ? text.length : text.lastIndexOf('\n', at + AT_ONCE) + 1
    await file.appendFile(text.slice(at, end))
    at = end
  }
}

/** The stream is not ours to end. */
function streamSink(stream: Writable): Sink {
  return {
    write: (text) =>
      new Promise((resolve, reject) => stream.write(text, (error) => (error ? reject(error) : resolve()))),
    close: () => Promise.resolve(),
  }
}
