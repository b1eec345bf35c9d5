import { existsSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { isBaleError } from '#base'
import { readTextSync } from './file/read-bytes.ts'
import { removeTree } from './file/remove-tree.ts'
import { mountErofs, unmount } from './mount.ts'
import { mountOverlay } from './mount-overlay.ts'

/** Capability numbers of <linux/capability.h> that bale asks about. */
const CAP_SYS_ADMIN = 21

export interface Capabilities {
  effective: bigint
  bounding: bigint
}

/** Of the calling process, from /proc/self/status. Bit n is capability n. */
export function capabilities(): Capabilities {
  const status = readTextSync('/proc/self/status', { encoding: 'latin1' })
  const field = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`)
  return { effective: field('CapEff'), bounding: field('CapBnd') }
}

/** True when this process may mount (CAP_SYS_ADMIN), whatever its uid is called. */
export function mayMount(): boolean {
  return (capabilities().effective & (1n << BigInt(CAP_SYS_ADMIN))) !== 0n
}

/** 2 when the unified hierarchy is at /sys/fs/cgroup, 1 otherwise (hybrid too: runc uses the v1 controllers there). */
export function cgroupVersion(): 1 | 2 {
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1
}

export interface MountFeatures {
  /** `file`: mounted from the file; `loop`: by a loop device; undefined: not at all. */
  erofs: 'file' | 'loop' | undefined
  /** An overlay with its upper directory below `folder`. */
  overlay: boolean
}

/**
 * Tries what the kernel can do on the file system of `folder`, with a real mount each. `erofsImage` writes a small EROFS
 * image to the path it is given (this room does not know the format).
 */
export async function probeMounts(
  folder: string,
  erofsImage?: (path: string) => Promise<void>,
): Promise<MountFeatures> {
  if (!mayMount()) return { erofs: undefined, overlay: false }
  const scratch = await mkdtemp(join(folder, 'probe-'))
  try {
    for (const name of ['lower', 'upper', 'work', 'target']) await mkdir(join(scratch, name))
    const target = join(scratch, 'target')
    const overlay = tryMount(target, () =>
      mountOverlay({
        lowers: [join(scratch, 'lower')],
        upper: join(scratch, 'upper'),
        work: join(scratch, 'work'),
        target,
      }),
    )
    if (!erofsImage) return { erofs: undefined, overlay }
    const image = join(scratch, 'image')
    await erofsImage(image)
    const file = tryMount(target, () => mountErofs(image, target, { by: 'file' }))
    const loop = !file && tryMount(target, () => mountErofs(image, target, { by: 'loop' }))
    return { erofs: file ? 'file' : loop ? 'loop' : undefined, overlay }
  } finally {
    await removeTree(scratch)
  }
}

function tryMount(target: string, act: () => void): boolean {
  try {
    act()
  } catch (error) {
    if (isBaleError(error, 'MOUNT_FAILED')) return false
    throw error
  }
  unmount(target)
  return true
}
