import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { BaleError, errnoOf, isUrl, type OperationOptions, printable } from '#base'
import type { EngineContext } from './context/context.ts'

/** Bytes from a local file, an http(s) URL, or an open stream. */
export async function openInput(
  context: EngineContext,
  source: string | AsyncIterable<Uint8Array>,
  options: OperationOptions = {},
): Promise<AsyncIterable<Uint8Array>> {
  if (typeof source !== 'string') return source
  return isUrl(source) ? openUrl(context, source, options) : openFile(source)
}

async function openFile(path: string): Promise<AsyncIterable<Uint8Array>> {
  const found = await stat(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new BaleError('PATH_NOT_FOUND', `open ${printable(path)}: no such file or directory`, { cause: error })
  })
  if (found.isDirectory()) {
    throw new BaleError('INVALID_ARGUMENT', `${printable(path)} is a directory, not a tar file`, {
      next: { act: 'import', directory: path },
    })
  }
  return createReadStream(path, { highWaterMark: 1 << 20 })
}

async function* openUrl(context: EngineContext, url: string, options: OperationOptions): AsyncIterable<Uint8Array> {
  const { openWeb } = await import('./registries/open-registry.ts')
  await using web = openWeb(context)
  yield* (await web.get(url, options)).body
}
