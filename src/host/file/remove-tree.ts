import { chmod, lstat, readdir, rename, rmdir, unlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { BaleError, errnoOf } from '#base'
import { unescapeMountPath } from '../kernel/mount-path.ts'
import { readText } from './read-bytes.ts'

/**
 * Removes a file or a directory with all that is below it; nothing there is success. Links are removed, never followed;
 * directories without write permission are opened up; names need not be UTF-8; trees deeper than PATH_MAX go too; what
 * another process puts in meanwhile goes as well. Refuses with CONFLICT while something is mounted at or below the path, so
 * that no volume or image is emptied by mistake.
 */
export async function removeTree(path: string): Promise<void> {
  const stat = await lstat(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (!stat) return
  if (!stat.isDirectory()) return unlinkIfThere(Buffer.from(path))
  await refuseMounts(path)
  for (let tries = 1; ; tries++) {
    try {
      return await removeAll(Buffer.from(path))
    } catch (error) {
      if (errnoOf(error) !== 'ENOTEMPTY' || tries === MOST_TRIES) throw error
      await sleep(tries)
    }
  }
}

/** For a process that ends and writes its last file; one that goes on writing is not waited for. */
const MOST_TRIES = 20

async function removeAll(top: Buffer): Promise<void> {
  const waiting: Buffer[] = []
  let moved = 0
  const flatten = async (directory: Buffer) => {
    const name = Buffer.concat([top, Buffer.from(`/.bale-deep-${process.pid}-${moved++}`)])
    await rename(directory, name)
    waiting.push(name)
  }
  do {
    await removeDirectory(waiting.pop() ?? top, flatten, top)
  } while (waiting.length > 0)
  await rmdirIfThere(top)
}

const DEEP = 2048
const AT_ONCE = 16

/** Empties `directory` and removes it, unless it is the top, which is needed until the last deep directory is gone. */
async function removeDirectory(
  directory: Buffer,
  flatten: (directory: Buffer) => Promise<void>,
  top: Buffer,
): Promise<void> {
  const entries = await readdirOpening(directory)
  const files: Buffer[] = []
  for (const entry of entries) {
    const path = Buffer.concat([directory, SLASH, entry.name])
    if (!entry.isDirectory()) files.push(path)
    else if (path.length > DEEP) await withWritable(directory, () => flatten(path))
    else await removeDirectory(path, flatten, top)
  }
  for (let index = 0; index < files.length; index += AT_ONCE) {
    const some = files.slice(index, index + AT_ONCE)
    await withWritable(directory, async () => {
      await Promise.all(some.map(unlinkIfThere))
    })
  }
  if (!directory.equals(top)) await rmdirOpening(directory)
}

const SLASH = Buffer.from('/')

async function readdirOpening(directory: Buffer) {
  const read = () => readdir(directory, { withFileTypes: true, encoding: 'buffer' })
  return withWritable(directory, read)
}

/** Tries; when permission is missing, opens the directory up and tries again. */
async function withWritable<T>(directory: Buffer, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (errnoOf(error) !== 'EACCES') throw error
    await chmod(directory, 0o700)
    return act()
  }
}

async function rmdirOpening(directory: Buffer): Promise<void> {
  const parent = directory.subarray(0, directory.lastIndexOf(SLASH))
  await withWritable(parent, () => rmdirIfThere(directory))
}

async function unlinkIfThere(path: Buffer): Promise<void> {
  await unlink(path).catch(ignoreMissing)
}

async function rmdirIfThere(path: Buffer): Promise<void> {
  await rmdir(path).catch(ignoreMissing)
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error
}

async function refuseMounts(path: string): Promise<void> {
  const table = await readText('/proc/self/mountinfo', { encoding: 'latin1' })
  const wanted = Buffer.from(path).toString('latin1').replace(/\/+$/, '')
  for (const line of table.split('\n')) {
    const field = line.split(' ')[4]
    if (field === undefined) continue
    const point = unescapeMountPath(field)
    if (point === wanted || point.startsWith(`${wanted}/`)) {
      throw new BaleError('CONFLICT', `${path} is not removed: something is mounted on ${point}`, {
        hint: `umount ${point}`,
      })
    }
  }
}
