import { chmodSync, existsSync, lstatSync, mkdirSync, rmdirSync, statfsSync, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { BaleError, disposable, errnoOf, isBaleError, type Log, noLog, toldBy } from '#base'
import {
  isMounted,
  lchown,
  type MountInfo,
  mountErofs,
  mountInfo,
  mountOverlay,
  type OverlayOptions,
  unmount,
} from '#host'
import { acquireLock } from '#host/file'
import type { Digest } from '#spec'
import type { LayerRecord, Store } from '#store'
import type { LayerMounts } from './layer-format-choice.ts'
import { lowerDirectories } from './lower-directories.ts'
import { isOpaque } from './lower-view.ts'
import { metadataReader } from './metadata-runs.ts'
import { enoughLowers, planMounts } from './mount-plan.ts'
import type { PrepareOptions, Rootfs, RootfsMounter } from './rootfs.ts'

interface RootfsOptions {
  store: { layers: Pick<Store['layers'], 'ensureVerified'> }
  /** Gone after a reboot, as mounts are: /run/bale. */
  run: string
  /** Asked when layer images have to be mounted; without it files are mounted where the kernel can. */
  layerMounts?: () => Promise<LayerMounts>
  /** Told of long waits. */
  log?: Log
}

/**
 * What an upper directory must mean alone, whatever the kernel's defaults: no data that lives only in a lower layer, no
 * names that only an attribute explains.
 */
const OVERLAY_OPTIONS = { metacopy: 'off', redirect_dir: 'off', index: 'off' } as const

/** Mounts root file systems of the store's layers. Holds nothing itself: all state is the kernel's mount table. */
export function createRootfs({ store, run, layerMounts, log = noLog }: RootfsOptions): RootfsMounter {
  const layersDirectory = join(run, 'layers')
  const rootsDirectory = join(run, 'rootfs')
  // Held while layers and overlay are mounted, so that no layer is removed in between. A few milliseconds.
  const lock = () =>
    acquireLock(join(run, 'mounts.lock'), {
      progress: toldBy(log),
      what: 'the layers that another command mounts',
    })
  const metadata = metadataReader(log)
  const targetOf = (idOrTarget: string) => (isAbsolute(idOrTarget) ? idOrTarget : join(rootsDirectory, idOrTarget))

  async function release(idOrTarget: string): Promise<void> {
    const target = targetOf(idOrTarget)
    unmount(target, { detach: true })
    if (target.startsWith(`${rootsDirectory}/`)) removeEmpty(target)
  }

  async function prepareRootfs(layers: readonly Digest[], options: PrepareOptions): Promise<Rootfs> {
    const rootfs = await mountRoot(layers, options)
    // Not while others wait for the lock.
    metadata.readAhead(rootfs.images.values())
    return rootfs
  }

  async function mountRoot(layers: readonly Digest[], options: PrepareOptions): Promise<Rootfs> {
    const { id, writable, signal } = options
    const target = options.target ?? join(rootsDirectory, id)
    const records: LayerRecord[] = []
    for (const layer of layers) records.push(await store.layers.ensureVerified(layer, { signal }))
    const plan = planMounts(records, layersDirectory, (path) => statSync(path).ino)
    const by = plan.images.length > 0 ? (await layerMounts?.())?.by : undefined
    await mkdir(target, { recursive: true, mode: 0o700 })
    await mkdir(layersDirectory, { recursive: true, mode: 0o700 })
    await using _held = await lock()
    signal?.throwIfAborted()
    const rootfs = {
      path: target,
      upper: writable === false ? undefined : writable.upper,
      lowers: plan.lowers as readonly string[],
      images: new Map(plan.images.map((image) => [image.target, image.source])),
      ...disposable(() => release(target)),
    }
    if (isMounted(target)) {
      rootfs.lowers = downToOpaque(plan.lowers)
      return rootfs
    }
    const mounted = new Set(mountInfo().map((mount) => mount.target))
    for (const { source, target: directory } of plan.images) {
      if (mounted.has(directory)) continue
      mkdirSync(directory, { recursive: true })
      // `file` would forbid what older kernels need.
      mountErofs(source, directory, by === 'loop' ? { by } : {})
    }
    rootfs.lowers = downToOpaque(plan.lowers)
    if (writable !== false) prepareUpper(writable, rootfs.lowers)
    const shown = writable === false ? withRoot(rootfs.lowers, layersDirectory) : rootfs.lowers
    const lowers = enoughLowers(shown, layersDirectory, writable === false)
    for (const lower of lowers) if (lower.startsWith(`${layersDirectory}/`)) mkdirSync(lower, { recursive: true })
    const overlay = { lowers, ...(writable === false ? {} : writable), target, readOnly: writable === false }
    try {
      mountStack(overlay, options.volatile === true && writable !== false)
    } catch (error) {
      throw writable === false ? error : explained(error, writable.upper)
    }
    return rootfs
  }

  async function releaseUnused(): Promise<number> {
    if (!existsSync(layersDirectory)) return 0
    await using _held = await lock()
    const table = mountInfo()
    const used = usedDirectories(table)
    const idle = table.filter((mount) => mount.target.startsWith(`${layersDirectory}/`) && !used.has(mount.target))
    for (const { target } of idle) {
      unmount(target, { detach: true })
      removeEmpty(target)
    }
    return idle.length
  }

  return { prepareRootfs, targetOf, release, releaseUnused }
}

function mountStack(overlay: Omit<OverlayOptions, 'options'>, volatile: boolean): void {
  if (volatile) {
    try {
      mountOverlay({ ...overlay, options: { ...OVERLAY_OPTIONS, volatile: true } })
      return
    } catch (error) {
      // Kernels before 5.10 do not know the option; with it the mount is only faster.
      if (!isBaleError(error, 'MOUNT_FAILED') || error.details['errno'] !== 'EINVAL') throw error
    }
  }
  mountOverlay({ ...overlay, options: OVERLAY_OPTIONS })
}

const OVERLAYFS_MAGIC = 0x794c7630

/** The kernel refuses writing through two overlays, with a bare EINVAL. */
function explained(error: unknown, upper: string): unknown {
  if (!isBaleError(error, 'MOUNT_FAILED') || statfsSync(upper).type !== OVERLAYFS_MAGIC) return error
  return new BaleError('UNSUPPORTED_HOST', `containers cannot write to ${upper}: it is on overlayfs`, {
    next: { act: 'choose-directory', of: 'root' },
    hint: 'this store can hold images; containers and builds need ext4, XFS, btrfs or tmpfs',
    cause: error,
  })
}

/** The lower directories of all overlays. */
export function usedDirectories(table: readonly MountInfo[]): Set<string> {
  return new Set(table.filter((mount) => mount.type === 'overlay').flatMap(lowerDirectories))
}

/**
 * Makes the directories of a container's own layer. The merged root shows the upper directory's owner and mode, so a new one
 * takes them from the image's root.
 */
function prepareUpper(writable: { upper: string; work: string }, lowers: readonly string[]): void {
  mkdirSync(writable.work, { recursive: true, mode: 0o700 })
  if (existsSync(writable.upper)) return
  mkdirSync(writable.upper, { recursive: true, mode: 0o755 })
  const { mode, uid, gid } = rootAttributes(lowers)
  lchown(writable.upper, uid, gid)
  chmodSync(writable.upper, mode)
}

/**
 * Overlayfs does not look at an opaque mark on the root of a lower directory, so a layer that hides everything below it is
 * made the lowest here.
 */
function downToOpaque(lowers: readonly string[]): readonly string[] {
  const opaque = lowers.findIndex((lower) => isOpaque(Buffer.from(lower)))
  return opaque < 0 ? lowers : lowers.slice(0, opaque + 1)
}

/** Where nothing is written there is no upper directory to give the root its owner and mode: an empty lower one does. */
function withRoot(lowers: readonly string[], layersDirectory: string): readonly string[] {
  if (lowers.length === 0) return lowers
  const { mode, uid, gid } = rootAttributes(lowers)
  const shown = lstatSync(lowers[0]!)
  if ((shown.mode & 0o7777) === mode && shown.uid === uid && shown.gid === gid) return lowers
  const directory = join(layersDirectory, `root-${mode.toString(8)}-${uid}-${gid}`)
  mkdirSync(directory, { recursive: true })
  lchown(directory, uid, gid)
  chmodSync(directory, mode)
  return [directory, ...lowers]
}

/**
 * Owner and mode of an image's root directory. A layer whose tar has no entry for the root shows docker's default there,
 * with the time 0; the next layer below that says something is asked instead.
 */
export function rootAttributes(lowers: readonly string[]): { mode: number; uid: number; gid: number } {
  for (const lower of lowers) {
    const stat = lstatSync(lower)
    if (stat.mtimeMs !== 0) return { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid }
  }
  return { mode: 0o755, uid: 0, gid: 0 }
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EBUSY'].includes(errnoOf(error) ?? '')) throw error
  }
}
