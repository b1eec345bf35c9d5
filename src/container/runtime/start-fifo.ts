import { constants } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '#base'

/**
 * Starts a created container through the fifo that it waits on: a container of runc writes to it, one of crun reads from it.
 * The runtimes' own `start` does nothing else, but costs a program. False when no process waits at the other end; then
 * `start` reports the error.
 */
export async function openStartFifo(runtime: 'runc' | 'crun', state: string): Promise<boolean> {
  const fifo = join(state, 'exec.fifo')
  let file: FileHandle
  try {
    file = await open(fifo, (runtime === 'runc' ? constants.O_RDONLY : constants.O_WRONLY) | constants.O_NONBLOCK)
  } catch (error) {
    // ENXIO: the process that was to read is gone.
    if (['ENOENT', 'ENXIO'].includes(errnoOf(error) ?? '')) return false
    throw error
  }
  await using _ = file
  if (runtime === 'runc') return await readByte(file, fifo)
  // As crun does it: without the name the container counts as started.
  await unlink(fifo)
  try {
    await file.write(Buffer.alloc(1))
    return true
  } catch (error) {
    if (errnoOf(error) === 'EPIPE') return false
    throw error
  }
}

async function readByte(file: FileHandle, fifo: string): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await hasByte(file)) {
      await unlink(fifo)
      return true
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return false
}

async function hasByte(file: FileHandle): Promise<boolean> {
  try {
    return (await file.read(Buffer.alloc(16), 0, 16, null)).bytesRead > 0
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return false
    throw error
  }
}
