import { closeSync, openSync } from 'node:fs'
import type { OperationOptions } from '#base'
import type { PackAtOnceOptions } from '#format/tar'
import { openRoot, syncfs } from '#host'
import { changeset, diffKinds, flattenLayers, type PathChange, type Rootfs } from '#rootfs'
import type { LayerRecord, StoreOperation } from '#store'
import {
  announce,
  findContainer,
  frozen,
  lockContainer,
  type Machinery,
  mustBeVisible,
  pathsOf,
  type SeenContainer,
  see,
} from '../state/index.ts'

interface MountedContainer extends AsyncDisposable {
  seen: SeenContainer
  /** The merged tree, without the container's volumes and kernel file systems. */
  path: string
  upper: string
  /** Uppermost first. */
  lowers: readonly string[]
  rootfs: Rootfs
}

/**
 * A container's root file system, until disposed. When the container does not run it is mounted and unmounted here, and its
 * lock is held, so it cannot be started meanwhile.
 */
export async function mountContainer(machinery: Machinery, idOrName: string): Promise<MountedContainer> {
  const { id } = await findContainer(machinery, idOrName)
  const paths = pathsOf(machinery, id)
  const stack = new AsyncDisposableStack()
  try {
    const lock = stack.use(await lockContainer(machinery, id))
    // Another mount namespace may have it mounted already; a second mount here is over the same directories.
    const seen = mustBeVisible(await see(machinery, await findContainer(machinery, id)))
    const rootfs = await machinery.rootfs.prepareRootfs(seen.record.layers, { id, writable: paths })
    if (seen.status === 'running' || seen.status === 'paused') await lock[Symbol.asyncDispose]()
    else stack.defer(() => giveBack(machinery, rootfs))
    const { path, lowers } = rootfs
    return { seen, path, upper: paths.upper, lowers, rootfs, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** Unmounts a root file system for a while, and the layers not used elsewhere. */
export async function giveBack({ rootfs: mounter }: Machinery, rootfs: AsyncDisposable): Promise<void> {
  await rootfs[Symbol.asyncDispose]()
  await mounter.releaseUnused()
}

/** What a container has added (A), changed (C) and deleted (D) since it was made, sorted by path. */
export async function containerDiff(machinery: Machinery, idOrName: string): Promise<PathChange[]> {
  await using mounted = await mountContainer(machinery, idOrName)
  return await diffKinds(mounted.upper, { lowers: mounted.lowers, exclude: mounted.seen.record.document.stubs })
}

/**
 * All files of a container as a tar. Mounted directories are empty in it; empty files that serve as mount points are left
 * out, except in /etc. Chunks are as `packTarAtOnce` makes them.
 */
export async function* exportContainer(
  machinery: Machinery,
  idOrName: string,
  options?: PackAtOnceOptions,
): AsyncGenerator<Uint8Array> {
  await using mounted = await mountContainer(machinery, idOrName)
  const { packTarAtOnce } = await import('#format/tar')
  const omit = emptyStubs(mounted.path, mounted.seen.record.document.stubs)
  yield* packTarAtOnce(flattenLayers(mounted.rootfs, { omit }), options)
  await announce(machinery, mounted.seen.record, 'export')
}

/** Files that exist only as mount points and are still empty, except those of /etc, which every system has; latin1, without the leading slash. */
function emptyStubs(rootfs: string, stubs: readonly string[]): Set<string> {
  using root = openRoot(rootfs)
  const isEmptyFile = (path: string) => {
    const stat = root.statIfThere(path, { follow: false })
    return stat?.isFile() === true && stat.size === 0
  }
  return new Set(
    stubs
      .filter((path) => !path.startsWith('/etc/') && isEmptyFile(path))
      .map((path) => Buffer.from(path).toString('latin1').replace(/^\//, '')),
  )
}

/** Stores what a container has written as a layer, held by the operation `intake`. A running one is frozen for it, unless `pause` is false. */
export async function storeOwnLayer(
  machinery: Machinery,
  idOrName: string,
  intake: Pick<StoreOperation, 'layers'>,
  options: OperationOptions & { pause?: boolean } = {},
): Promise<{ seen: SeenContainer; layer: LayerRecord }> {
  await using mounted = await mountContainer(machinery, idOrName)
  const { seen, upper, lowers } = mounted
  await using _ =
    options.pause !== false && seen.status === 'running' ? await frozen(machinery, seen.record) : undefined
  flush(mounted.path)
  const entries = changeset(upper, { lowers, exclude: seen.record.document.stubs })
  const { packTarAtOnce } = await import('#format/tar')
  const layer = await intake.layers.write(packTarAtOnce(entries), { ...options, owned: true })
  return { seen, layer }
}

/** Dirty pages of mapped files reach the upper directory. */
function flush(path: string): void {
  const fd = openSync(path, 'r')
  try {
    syncfs(fd)
  } finally {
    closeSync(fd)
  }
}
