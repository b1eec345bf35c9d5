import { constants } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { errnoOf, printable, readAll } from '#base'
import { streamFile } from '#host/file'
import { Unusable, unreadable } from './unusable.ts'

/** A plain file, open. The caller closes it. */
export interface TreeFile extends AsyncDisposable {
  size: number
  /** Its bytes, never more than `size`. Unusable when they cannot be read. */
  read(signal?: AbortSignal): AsyncGenerator<Uint8Array>
  /** All of them; Unusable when they are more than `limit`. */
  bytes(limit: number): Promise<Uint8Array>
}

/**
 * A directory of a tree that others may have made, or are changing. Each step goes from an open directory to one of its
 * names, and never through a link: nothing outside of the tree is reached, whatever is swapped meanwhile. The caller
 * closes it. What cannot be read is Unusable.
 */
export interface TreeDirectory extends AsyncDisposable {
  /** Sorted. */
  names(): Promise<string[]>
  directory(...names: string[]): Promise<TreeDirectory>
  /** Undefined when one of the names is missing. */
  directoryIfThere(...names: string[]): Promise<TreeDirectory | undefined>
  file(name: string): Promise<TreeFile>
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY
/** Without waiting for who may be at the other end of a fifo. */
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** The root of a tree, which alone may be reached through links. */
export async function openTree(path: string): Promise<TreeDirectory> {
  return treeDirectory(await open(path, DIRECTORY))
}

function treeDirectory(handle: FileHandle): TreeDirectory {
  // A link that leads to the open directory itself, wherever its name has gone.
  const place = `/proc/self/fd/${handle.fd}`
  const directory: TreeDirectory['directory'] = (...names) => descend(place, names)
  return {
    async names() {
      return await reading('a directory', async () => (await readdir(place)).sort())
    },
    directory,
    directoryIfThere: (...names) => ifThere(() => directory(...names)),
    file: (name) => openFile(place, name),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/** Undefined for what is missing. */
export async function ifThere<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Unusable && errnoOf(error.cause) === 'ENOENT') return undefined
    throw error
  }
}

/** From one directory to the next; those on the way are closed. */
async function descend(from: string, names: readonly string[]): Promise<TreeDirectory> {
  let last: FileHandle | undefined
  for (const name of names) {
    const above = last
    try {
      const place = `${above ? `/proc/self/fd/${above.fd}` : from}/${checkedName(name)}`
      last = await reading(`the directory ${printable(name, 80)}`, () => open(place, DIRECTORY | constants.O_NOFOLLOW))
    } finally {
      await above?.close()
    }
  }
  return treeDirectory(last!)
}

async function openFile(place: string, name: string): Promise<TreeFile> {
  const what = `the file ${printable(name, 80)}`
  const handle = await reading(what, () => open(`${place}/${checkedName(name)}`, FILE))
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Unusable(`${what} is not a plain file`)
    const { size } = stats
    const read: TreeFile['read'] = (signal) =>
      readThrough(streamFile(`/proc/self/fd/${handle.fd}`, { end: size, signal }), what)
    return {
      size,
      read,
      async bytes(limit) {
        if (size > limit) throw new Unusable(`${what} has ${size} bytes, more than ${limit}`)
        return await readAll(read(), { limit, what })
      },
      [Symbol.asyncDispose]: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function* readThrough(chunks: AsyncGenerator<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const next = await reading(what, () => chunks.next())
      if (next.done) return
      yield next.value
    }
  } finally {
    await chunks.return(undefined)
  }
}

async function reading<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw unreadable(error, what)
  }
}

/** One step, and no way around. */
function checkedName(name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
    throw new TypeError('not a name in a directory')
  return name
}
