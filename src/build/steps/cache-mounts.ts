import { createHash } from 'node:crypto'
import { lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, isBaleError } from '#base'
import { acquireLock, removeTree } from '#host/file'

/** Contents of `RUN --mount=type=cache`, outside of the layers: one folder for each id, until they are pruned. */
export function cacheMountsFolder(storeRoot: string): string {
  return join(storeRoot, 'cache-mounts')
}

/**
 * The folder for an id, held against pruning until `stack` is disposed. `shared`: one for all; `locked`: one step at a
 * time; `private`: another one when it is in use. The id is text of a Dockerfile and never becomes a path (B01).
 */
export async function claimCacheMount(
  storeRoot: string,
  request: { id: string; sharing: 'shared' | 'private' | 'locked' },
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<string> {
  const folder = join(cacheMountsFolder(storeRoot), createHash('sha256').update(request.id).digest('hex'))
  stack.use(await acquireLock(useLock(folder), { shared: true, signal }))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (request.sharing === 'locked') stack.use(await acquireLock(join(folder, 'locked.lock'), { signal }))
  if (request.sharing !== 'private') return join(folder, '0')
  for (let number = 1; ; number++) {
    try {
      stack.use(await acquireLock(join(folder, `${number}.lock`), { signal, timeoutMs: 0 }))
      return join(folder, String(number))
    } catch (error) {
      if (!isBaleError(error, 'LOCKED')) throw error
    }
  }
}

/** Removes the cache mounts that no step is using; answers the bytes that became free. */
export async function pruneCacheMounts(storeRoot: string): Promise<number> {
  const parent = cacheMountsFolder(storeRoot)
  let freed = 0
  for (const name of await namesIn(parent)) {
    if (!/^[0-9a-f]{64}$/.test(name)) continue
    const folder = join(parent, name)
    try {
      await using _unused = await acquireLock(useLock(folder), { timeoutMs: 0 })
      freed += await sizeOf(Buffer.from(folder))
      await removeTree(folder)
    } catch (error) {
      if (!isBaleError(error, 'LOCKED')) throw error
    }
  }
  return freed
}

function useLock(folder: string): string {
  return `${folder}.use`
}

/** Names are bytes of any kind. */
async function sizeOf(path: Buffer): Promise<number> {
  const stat = await lstat(path)
  if (!stat.isDirectory()) return stat.blocks * 512
  let size = 0
  for (const name of await readdir(path, { encoding: 'buffer' })) {
    size += await sizeOf(Buffer.concat([path, Buffer.from('/'), name]))
  }
  return size
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
