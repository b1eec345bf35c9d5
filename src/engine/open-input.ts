import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { BaleError, errnoOf, printable } from '#base'

/** Bytes from a local file, an http(s) URL, or a stream that is already there. */
export async function openInput(
  source: string | AsyncIterable<Uint8Array>,
  options: { signal?: AbortSignal } = {},
): Promise<AsyncIterable<Uint8Array>> {
  if (typeof source !== 'string') return source
  return /^https?:\/\//i.test(source) ? openUrl(source, options) : openFile(source)
}

async function openFile(path: string): Promise<AsyncIterable<Uint8Array>> {
  const found = await stat(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new BaleError('PATH_NOT_FOUND', `open ${printable(path)}: no such file or directory`, { cause: error })
  })
  if (found.isDirectory()) {
    throw new BaleError('INVALID_ARGUMENT', `${printable(path)} is a folder, not a tar file`, {
      hint: `tar -C ${path} -c . | bale import - NAME`,
    })
  }
  return createReadStream(path, { highWaterMark: 1 << 20 })
}

async function openUrl(url: string, { signal }: { signal?: AbortSignal }): Promise<AsyncIterable<Uint8Array>> {
  const answer = await fetch(url, { signal, redirect: 'follow' }).catch((error: unknown) => {
    if (signal?.aborted) throw signal.reason
    throw new BaleError('REGISTRY_UNREACHABLE', `cannot fetch ${printable(url)}: ${reason(error)}`, { cause: error })
  })
  if (!answer.ok || !answer.body) {
    await answer.body?.cancel()
    throw new BaleError('PATH_NOT_FOUND', `${printable(url)} answered ${answer.status} ${printable(answer.statusText)}`)
  }
  return checkedLength(answer.body, Number(answer.headers.get('content-length') ?? Number.NaN), url)
}

/** A connection that ends early must not pass for a short file. */
async function* checkedLength(
  body: AsyncIterable<Uint8Array>,
  expected: number,
  url: string,
): AsyncIterable<Uint8Array> {
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    yield chunk
  }
  // fetch undoes a Content-Encoding by itself; then the length says nothing.
  if (Number.isFinite(expected) && length < expected) {
    throw new BaleError('SIZE_MISMATCH', `${printable(url)} ended after ${length} of ${expected} bytes`)
  }
}

function reason(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  return cause?.code ?? cause?.message ?? String(error)
}
