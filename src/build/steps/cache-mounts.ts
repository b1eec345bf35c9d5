import { createHash } from 'node:crypto'
import { chmod, chown, lstat, mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, isBaleError, type OperationOptions, printable } from '#base'
import { acquireLock, namesIn, removeTree } from '#host/file'

/** A cache that a step mounts. */
export interface CacheRequest {
  id: string
  /** What it begins with, if not empty: caches of one id with other beginnings are other caches. */
  origin: string | undefined
  sharing: 'shared' | 'private' | 'locked'
  /** Of a new cache; an existing one keeps its own. */
  mode: number
  uid: number
  gid: number
  /** Copies the beginning into the new directory. */
  fill?(directory: string): Promise<void>
}

/** Contents of `RUN --mount=type=cache`, outside of the layers: one directory for each id, until they are pruned. */
function cacheMountsDirectory(storeRoot: string): string {
  return join(storeRoot, 'cache-mounts')
}

/**
 * The directories for all caches of one step, in the order of the requests, held against pruning until `stack` is disposed.
 * `shared`: one for all; `locked`: one for all, one step at a time, and not beside steps that share it; `private`: another
 * one when it is in use. An id is text of a Dockerfile and never becomes a path (B01).
 *
 * All locks that may have to be waited for are taken here, each once, in one order for all builds of the machine: so two
 * steps never wait for each other, and a step never waits for itself.
 */
export async function claimCacheMounts(
  storeRoot: string,
  requests: readonly CacheRequest[],
  stack: AsyncDisposableStack,
  options: OperationOptions,
): Promise<string[]> {
  const directoryOf = (request: CacheRequest) => join(cacheMountsDirectory(storeRoot), nameOf(request))
  const directories = [...new Set(requests.map(directoryOf))].sort()
  for (const directory of directories) {
    const same = requests.filter((request) => directoryOf(request) === directory)
    const what = `the cache ${JSON.stringify(printable(same[0]!.id))}, which another build step uses`
    stack.use(await acquireLock(useLock(directory), { ...options, what, shared: true }))
    await mkdir(directory, { recursive: true, mode: 0o700 })
    if (same.every(({ sharing }) => sharing === 'private')) continue
    const shared = same.every(({ sharing }) => sharing !== 'locked')
    stack.use(await acquireLock(join(directory, '0.lock'), { ...options, what, shared }))
  }
  const claimed: string[] = []
  for (const request of requests) {
    const directory = directoryOf(request)
    const path = request.sharing === 'private' ? await claimPrivate(directory, stack, options) : join(directory, '0')
    await makeContent(path, request, options)
    claimed.push(path)
  }
  return claimed
}

/** The first that no other step uses. */
async function claimPrivate(directory: string, stack: AsyncDisposableStack, { signal }: OperationOptions) {
  for (let number = 1; ; number++) {
    try {
      stack.use(await acquireLock(join(directory, `${number}.lock`), { signal, timeoutMs: 0 }))
      return join(directory, String(number))
    } catch (error) {
      if (!isBaleError(error, 'LOCKED')) throw error
    }
  }
}

/** It exists complete or not at all, even if several steps share it or one was killed while creating it. */
async function makeContent(path: string, { mode, uid, gid, fill }: CacheRequest, options: OperationOptions) {
  if (await isThere(path)) return
  await using _making = await acquireLock(`${path}.making`, options)
  if (await isThere(path)) return
  const fresh = `${path}.new`
  await removeTree(fresh)
  await mkdir(fresh, { mode: 0o700 })
  if (fill) await fill(fresh)
  else {
    await chown(fresh, uid, gid)
    await chmod(fresh, mode)
  }
  await rename(fresh, path)
}

function nameOf({ id, origin }: CacheRequest): string {
  const hash = createHash('sha256').update(id)
  // No id that a Dockerfile can write holds a NUL.
  return (origin === undefined ? hash : hash.update(`\0${origin}`)).digest('hex')
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

/** Removes the cache mounts that no step is using; answers the bytes that became free. */
export async function pruneCacheMounts(storeRoot: string): Promise<number> {
  const parent = cacheMountsDirectory(storeRoot)
  let freed = 0
  for (const name of await namesIn(parent)) {
    if (!/^[0-9a-f]{64}$/.test(name)) continue
    const directory = join(parent, name)
    try {
      await using _unused = await acquireLock(useLock(directory), { timeoutMs: 0 })
      freed += await sizeOf(Buffer.from(directory))
      await removeTree(directory)
    } catch (error) {
      if (!isBaleError(error, 'LOCKED')) throw error
    }
  }
  return freed
}

/** Bytes of all cache mounts on disk. */
export async function cacheMountsSize(storeRoot: string): Promise<number> {
  const parent = cacheMountsDirectory(storeRoot)
  let size = 0
  for (const name of await namesIn(parent)) size += await sizeOf(Buffer.from(join(parent, name)))
  return size
}

function useLock(directory: string): string {
  return `${directory}.use`
}

/** Names are bytes of any kind. What goes away meanwhile has no size. */
async function sizeOf(path: Buffer): Promise<number> {
  try {
    const stat = await lstat(path)
    if (!stat.isDirectory()) return stat.blocks * 512
    let size = 0
    for (const name of await readdir(path, { encoding: 'buffer' })) {
      size += await sizeOf(Buffer.concat([path, Buffer.from('/'), name]))
    }
    return size
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0
    throw error
  }
}
