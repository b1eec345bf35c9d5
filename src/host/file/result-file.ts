import { open, rm } from 'node:fs/promises'
import { BaleError, errnoOf } from '#base'
import { openOutput } from './output-file.ts'
import { outputPlace } from './output-place.ts'

/** A small file with a command's result for a program: an ID, a digest. */
export interface ResultFile extends AsyncDisposable {
  /** Once. What a command has written stays, also when it fails later. */
  write(text: string): Promise<void>
}

/**
 * Makes ready to write a result, before the work begins: a path that cannot be written is refused (INVALID_ARGUMENT), and
 * what an earlier run left goes, so that it is not taken for the result of this one. With `mustBeNew` anything there is a
 * CONFLICT, and the name is held by an empty file, which goes when nothing was written. Mode 0644 by default.
 */
export async function startResultFile(
  path: string,
  options: { mustBeNew?: boolean; mode?: number } = {},
): Promise<ResultFile> {
  const place = outputPlace(path)
  const held = options.mustBeNew ? await hold(place.kind === 'file' ? place.path : undefined, path) : undefined
  if (!options.mustBeNew && place.kind === 'file') await rm(place.path, { force: true })
  let written = false
  return {
    async write(text) {
      await using output = await openOutput(path, { mode: options.mode ?? 0o644 })
      await output.write(Buffer.from(text))
      await output.commit()
      written = true
    },
    async [Symbol.asyncDispose]() {
      if (held !== undefined && !written) await rm(held, { force: true })
    },
  }
}

async function hold(real: string | undefined, path: string): Promise<string> {
  try {
    if (real !== undefined) {
      await (await open(real, 'wx', 0o666)).close()
      return real
    }
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST')
      throw new BaleError('INVALID_ARGUMENT', `cannot write ${path}: ${errnoOf(error) ?? error}`, { cause: error })
  }
  throw new BaleError('CONFLICT', `${path} is there already`)
}
