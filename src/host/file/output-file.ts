import { once } from 'node:events'
import { constants } from 'node:fs'
import { copyFile, type FileHandle, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { asError, BaleError, errnoOf } from '#base'
import { asNoSpace } from './no-space.ts'
import { type OutputPlace, outputPlace } from './output-place.ts'
import { fsyncDirectory } from './publish.ts'
import { randomHex } from './random-hex.ts'
import { createWriteBack } from './write-back.ts'

/** Where the bytes of a result go, in order. */
export interface OutputFile extends AsyncDisposable {
  readonly position: number
  /** When it ends, the memory of the bytes is the caller's again. */
  write(bytes: Uint8Array): Promise<void>
  /** Discards everything after `position`. A stream cannot: every later call then throws. */
  rollback(position: number, reason: unknown): Promise<void>
  /** Publishes the result under its name. Disposing without it leaves nothing, and keeps any earlier file. */
  commit(): Promise<void>
}

/**
 * The one way in which a command writes a result. A file is written under a temporary name beside it and replaces what is
 * there only by `commit`; a link stays and its target is replaced; a device, fifo or open descriptor is written into. The file
 * has mode 0600 by default: it may contain secrets. Throws INVALID_ARGUMENT for a
 * path that cannot be written, before anything is made.
 */
export async function openOutput(target: string | Writable, options: { mode?: number } = {}): Promise<OutputFile> {
  if (typeof target !== 'string') return streamOutput(target)
  const place = outputPlace(target)
  if (place.kind === 'stream') return openStream(place)
  const { path } = place
  const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomHex(6)}`)
  return fileOutput(await openNew(temporary, path, options.mode ?? 0o600), temporary, path)
}

/**
 * Writes all of a stream and commits it. `ahead`: a chunk is valid until the next but one is asked for, so it is written while
 * the next one is being made.
 */
export async function pourInto(
  output: OutputFile,
  bytes: AsyncIterable<Uint8Array>,
  options: { ahead?: boolean; signal?: AbortSignal } = {},
): Promise<void> {
  let writing = Promise.resolve()
  try {
    for await (const chunk of bytes) {
      options.signal?.throwIfAborted()
      await writing
      writing = output.write(chunk)
      // A failure is thrown where it is awaited, which may be long after.
      writing.catch(() => undefined)
      if (!options.ahead) await writing
    }
  } catch (error) {
    // Nothing is written any more when the caller gives the output up.
    await Promise.allSettled([writing])
    throw error
  }
  await writing
  options.signal?.throwIfAborted()
  await output.commit()
}

async function openStream({ path, append }: OutputPlace & { kind: 'stream' }): Promise<OutputFile> {
  // No O_CREAT, no O_TRUNC: the thing itself is what was named. A fifo waits here for its reader.
  const handle = await open(path, constants.O_WRONLY | constants.O_NOCTTY | (append ? constants.O_APPEND : 0))
  const stream = handle.createWriteStream()
  const output = streamOutput(stream, path, async () => {
    stream.end()
    await once(stream, 'close')
  })
  return Object.defineProperty(output, Symbol.asyncDispose, { value: async () => void stream.destroy() })
}

const UNWRITABLE = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG']

async function openNew(temporary: string, path: string, mode: number): Promise<FileHandle> {
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.chmod(mode)
      return handle
    } catch (error) {
      await handle.close()
      await rm(temporary, { force: true })
      throw error
    }
  } catch (error) {
    if (!UNWRITABLE.includes(errnoOf(error) ?? '')) throw asNoSpace(error, path)
    throw new BaleError('INVALID_ARGUMENT', `cannot write ${path}: ${errnoOf(error)} in ${dirname(path)}`, {
      hint: 'name a file in an existing, writable directory',
      cause: error,
    })
  }
}

function fileOutput(file: FileHandle, temporary: string, path: string): OutputFile {
  let position = 0
  let open = true
  let left = true
  const writeBack = createWriteBack(() => file.datasync())
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
        writeBack.wrote(bytes.byteLength)
      } catch (error) {
        throw asNoSpace(error, path)
      }
    },
    async rollback(to) {
      await file.truncate(to)
      position = to
    },
    async commit() {
      try {
        await writeBack.settled()
        await file.sync()
      } catch (error) {
        throw asNoSpace(error, path)
      }
      await close()
      left = await place(temporary, path)
      await fsyncDirectory(dirname(path))
    },
    async [Symbol.asyncDispose]() {
      // A sync may be under way on the descriptor. Whether it succeeds does not matter any more.
      await Promise.allSettled([writeBack.settled()])
      await close()
      if (left) await rm(temporary, { force: true })
    },
  }
}

/** True when the temporary file is still there: a file that is a mount point keeps its place, and gets the bytes. */
async function place(temporary: string, path: string): Promise<boolean> {
  try {
    await rename(temporary, path)
    return false
  } catch (error) {
    if (errnoOf(error) !== 'EBUSY') throw error
    await copyFile(temporary, path)
    return true
  }
}

function streamOutput(
  stream: Writable,
  what = 'standard output',
  finished: () => Promise<void> = async () => undefined,
): OutputFile {
  let position = 0
  let failure: unknown
  let wake: () => void = () => undefined
  stream.on('error', (error) => {
    failure ??= asNoSpace(error, what)
    wake()
  })
  stream.on('close', () => {
    failure ??= new BaleError('ABORTED', 'the reader of the archive closed it')
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
      await new Promise<void>((resolve) => {
        wake = resolve
        stream.write(bytes, (error) => {
          if (error) failure ??= asNoSpace(error, what)
          resolve()
        })
      })
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
      failure ??= new BaleError('ABORTED', 'the archive was abandoned')
    },
  }
}
