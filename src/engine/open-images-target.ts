import { statSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { BaleError, printable } from '#base'
import { outputPlace } from '#host/file'
import type { ImageTarget } from '#image'

/** A destination of bytes: a file, which appears when it is complete, or a stream. */
export type OutputFile = { file: string } | { stream: Writable }

/** Where images are written to: one tar archive, or an OCI image layout in a directory, which is made when missing. */
export type ImagesOutput = OutputFile | { directory: string }

/** Throws INVALID_ARGUMENT, before any work, for a destination that cannot be written to. */
export function checkImagesOutput(to: ImagesOutput): void {
  if ('file' in to) outputPlace(to.file)
  if (!('directory' in to)) return
  const found = statSync(to.directory, { throwIfNoEntry: false })
  if (found && !found.isDirectory()) {
    throw new BaleError('INVALID_ARGUMENT', `${printable(to.directory)} is not a directory`)
  }
}

/** An opened target; `finish` completes an archive, and adds images without a name to a layout's index. */
export async function openImagesTarget(
  to: ImagesOutput,
): Promise<ImageTarget & AsyncDisposable & { finish(): Promise<void> }> {
  const { createArchiveTarget, createLayoutTarget } = await import('#transport')
  if (!('directory' in to)) return createArchiveTarget('file' in to ? to.file : to.stream)
  const layout = await createLayoutTarget(to.directory)
  return {
    ...layout,
    [Symbol.asyncDispose]: async () => {
      // Every blob is complete by itself, and index.json is replaced as a whole: nothing is left to undo.
    },
  }
}
