import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { type FileHandle, lstat, open, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { asError, BaleError, errnoOf } from '#base'
import { asNoSpace, fsyncFolder } from '#host/file'

/** Where an archive's bytes go, in order. */
export interface ArchiveSink extends AsyncDisposable {
  readonly position: number
  write(bytes: Uint8Array): Promise<void>
  /** Takes back all behind `position`. A stream cannot: then every later call throws. */
  rollback(position: number, reason: unknown): Promise<void>
  /** Makes the archive appear under its name. Disposing without it leaves nothing. */
  commit(): Promise<void>
}

/**
 * A file is written under a temporary name beside it and replaces what is there only by `commit` (mode 0600: layers may
 * hold secrets). A device or pipe, which cannot be replaced, is written to like a stream.
 */
export async function openSink(target: string | Writable): Promise<ArchiveSink> {
  if (typeof target !== 'string') return streamSink(target)
  const path = await finalPath(target)
  if (path === undefined) {
    const stream = createWriteStream(target)
    const sink = streamSink(stream, () => ended(stream))
    return Object.defineProperty(sink, Symbol.asyncDispose, { value: async () => void stream.destroy() })
  }
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  return fileSink(await openNew(temporary, path), temporary, path)
}

async function openNew(temporary: string, path: string): Promise<FileHandle> {
  try {
    return await open(temporary, 'wx', 0o600)
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '')) throw asNoSpace(error, path)
    throw new BaleError('INVALID_ARGUMENT', `cannot write ${path}: ${errnoOf(error)} in ${dirname(path)}`, {
      hint: 'name a file in a folder that is there and may be written',
      cause: error,
    })
  }
}

/** Links are followed, so that a link stays one; undefined for what is there and no plain file. */
async function finalPath(target: string): Promise<string | undefined> {
  try {
    const path = await realpath(target)
    const found = await lstat(path)
    if (found.isDirectory()) throw new BaleError('INVALID_ARGUMENT', `${target} is a folder; name a file in it`)
    return found.isFile() ? path : undefined
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return target
    throw error
  }
}

function fileSink(file: FileHandle, temporary: string, path: string): ArchiveSink {
  let position = 0
  let open = true
  const close = async () => {
    if (open) await file.close()
    open = false
  }
  return {
    get position() {
      return position
    },
    async write(bytes) {
      try {
        for (let at = 0; at < bytes.byteLength; ) {
          const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at, position)
          at += bytesWritten
          position += bytesWritten
        }
      } catch (error) {
        throw asNoSpace(error, path)
      }
    },
    async rollback(to) {
      await file.truncate(to)
      position = to
    },
    async commit() {
      await file.sync()
      await close()
      await rename(temporary, path)
      await fsyncFolder(dirname(path))
    },
    async [Symbol.asyncDispose]() {
      if (!open) return
      await close()
      await rm(temporary, { force: true })
    },
  }
}

function streamSink(stream: Writable, finished: () => Promise<void> = async () => undefined): ArchiveSink {
  let position = 0
  let failure: Error | undefined
  let wake: () => void = () => undefined
  stream.on('error', (error) => {
    failure ??= error
    wake()
  })
  stream.on('drain', () => wake())
  stream.on('close', () => {
    failure ??= new BaleError('ABORTED', 'the reader of the archive went away')
    wake()
  })
  const check = () => {
    if (failure) throw failure
  }
  return {
    get position() {
      return position
    },
    async write(bytes) {
      check()
      position += bytes.byteLength
      if (!stream.write(bytes)) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      check()
    },
    async rollback(to, reason) {
      if (to < position) failure ??= asError(reason)
    },
    async commit() {
      check()
      await finished()
    },
    async [Symbol.asyncDispose]() {
      failure ??= new BaleError('ABORTED', 'the archive was given up')
    },
  }
}

async function ended(stream: Writable): Promise<void> {
  stream.end()
  await once(stream, 'close')
}
