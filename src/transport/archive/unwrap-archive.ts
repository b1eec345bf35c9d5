import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BaleError, disposable, errnoOf } from '#base'
import { DETECTION_BYTES, decompressAny, detectCompression } from '#format/compression'
import { temporaryDirectory, withNoSpace } from '#host/file'

export interface UnwrapOptions {
  /** Where a copy goes when one is needed; it is as large as the archive. The system's directory by default. */
  temporary?: string
  signal?: AbortSignal
}

/** A plain tar in a file that can be read at any place. */
export interface UnwrappedArchive extends AsyncDisposable {
  readonly path: string
  /** What people call it. */
  readonly name: string
}

/**
 * Makes sure that an archive is a plain tar in a seekable file: a plain file is used where it is; a stream, a pipe or a
 * compressed file is written to a temporary one, which goes when the result is disposed.
 */
export async function unwrapArchive(
  input: string | AsyncIterable<Uint8Array>,
  options: UnwrapOptions = {},
): Promise<UnwrappedArchive> {
  if (typeof input !== 'string') return spool(input, 'the archive', options)
  const file = await openForReading(input)
  try {
    const found = await file.stat()
    if (found.isDirectory()) {
      throw new BaleError('INVALID_ARCHIVE', `${input} is a directory, not an archive`, {
        next: { act: 'load-layout', directory: input },
      })
    }
    if (found.isFile() && (await isPlain(file))) {
      return { path: input, name: input, ...disposable(() => undefined) }
    }
    return await spool(inOrder(file), input, options)
  } finally {
    await file.close()
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new BaleError('PATH_NOT_FOUND', `open ${path}: no such file or directory`, { cause: error })
  }
}

/** From the file's own position, so that pipes work. */
async function* inOrder(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(1 << 20)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

async function isPlain(file: FileHandle): Promise<boolean> {
  const first = Buffer.alloc(DETECTION_BYTES)
  const { bytesRead } = await file.read(first, 0, first.length, 0)
  return detectCompression(first.subarray(0, bytesRead)) === 'none'
}

async function spool(
  input: AsyncIterable<Uint8Array>,
  name: string,
  { temporary = tmpdir(), signal }: UnwrapOptions,
): Promise<UnwrappedArchive> {
  const directory = await temporaryDirectory(temporary, 'archive-')
  try {
    const path = join(directory.path, 'archive.tar')
    await using file = await open(path, 'wx', 0o600)
    await withNoSpace(`a copy of ${name}`, async () => {
      for await (const chunk of decompressAny(input, { signal })) {
        signal?.throwIfAborted()
        await file.writeFile(chunk)
      }
    })
    return { path, name, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
  } catch (error) {
    await directory[Symbol.asyncDispose]()
    throw error
  }
}
