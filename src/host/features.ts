import { mkdir, mkdtemp, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, isBaleError } from '#base'
import { readBytesSync, readTextSync, removeTree } from './file/index.ts'
import { mountErofs, unmount } from './mount.ts'
import { mountOverlay } from './mount-overlay.ts'

/** Capability numbers of <linux/capability.h> that bale asks about. */
const CAP_SYS_ADMIN = 21

interface Capabilities {
  effective: bigint
  bounding: bigint
}

/** Of the calling process, from /proc/self/status. Bit n is capability n. */
function capabilities(): Capabilities {
  const status = readTextSync('/proc/self/status', { encoding: 'latin1' })
  const field = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`)
  return { effective: field('CapEff'), bounding: field('CapBnd') }
}

/** True when this process may mount (CAP_SYS_ADMIN), whatever its uid is called. */
export function mayMount(): boolean {
  return (capabilities().effective & (1n << BigInt(CAP_SYS_ADMIN))) !== 0n
}

interface MountFeatures {
  /** `file`: mounted from the file; `loop`: by a loop device; undefined: not at all, or by a file alone that may not be. */
  erofs: 'file' | 'loop' | undefined
  /** The kernel mounts an image from its file, but takes what could not be read for zeros. */
  zeroFills: boolean
  /** An overlay with its upper directory below `directory`. */
  overlay: boolean
}

/** A small EROFS image (this room does not know the format). */
export interface TrialImage {
  bytes: Uint8Array
  /** A file in it, and a length of the image that ends in the middle of the file's data and after everything else. */
  data?: { name: string; cutAt: number }
}

/** Tries what the kernel can do on the file system of `directory`, with a real mount each. */
export async function probeMounts(directory: string, trial?: TrialImage): Promise<MountFeatures> {
  if (!mayMount()) return { erofs: undefined, zeroFills: false, overlay: false }
  const scratch = await mkdtemp(join(directory, 'probe-'))
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
    if (!trial) return { erofs: undefined, zeroFills: false, overlay }
    const image = join(scratch, 'image')
    await writeFile(image, trial.bytes)
    const file = tryMount(target, () => mountErofs(image, target, { by: 'file' }))
    const zeroFills = file && trial.data !== undefined && (await takesMissingForZeros(image, target, trial.data))
    if (file && !zeroFills) return { erofs: 'file', zeroFills, overlay }
    await writeFile(image, trial.bytes)
    const loop = tryMount(target, () => mountErofs(image, target, { by: 'loop' }))
    return { erofs: loop ? 'loop' : undefined, zeroFills, overlay }
  } finally {
    await removeTree(scratch)
  }
}

/**
 * Reads data that the image's file no longer has. Kernels with "erofs: set fileio bio failed in short read case"
 * (eade54040384) answer EIO; others give zeros, and do so too, for everybody and as long as the pages stay in memory,
 * when a reader is killed before the disk has answered.
 */
async function takesMissingForZeros(image: string, target: string, data: NonNullable<TrialImage['data']>) {
  await truncate(image, data.cutAt)
  let failed = false
  tryMount(target, () => {
    mountErofs(image, target, { by: 'file' })
    failed = isUnreadable(join(target, data.name))
  })
  return !failed
}

function isUnreadable(path: string): boolean {
  try {
    readBytesSync(path)
    return false
  } catch (error) {
    if (errnoOf(error) !== 'EIO') throw error
    return true
  }
}

/** Mounts and unmounts; false where the kernel cannot. */
function tryMount(target: string, act: () => void): boolean {
  try {
    act()
    return true
  } catch (error) {
    if (isBaleError(error, 'MOUNT_FAILED')) return false
    throw error
  } finally {
    unmount(target)
  }
}
